"""
A mail store of an application's own: the tables of a small webmail product, served by a node.

It provides the required part of the door (`twisted_mail_node.interfaces.required_store`) and nothing else, on
Python's own sqlite3. docs/backends.md explains it. One thread has the database, so whatever is asked happens in
the order in which it was asked, each in a transaction of its own.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import webmail_tables
from twisted.internet.defer import Deferred, fail
from twisted.internet.threads import deferToThreadPool
from twisted.python.threadpool import ThreadPool
from webmail_tables import SCHEMA, Work
from zope.interface import implementer

from twisted_mail_node.interfaces.deferred import returns_deferred
from twisted_mail_node.interfaces.required_store import (
    ChangeListener,
    IBasicAccount,
    IBasicMailbox,
    IBasicStore,
    IOpenBody,
    IWatch,
)
from twisted_mail_node.mail.changes import (
    CopyOutcome,
    MailboxChanges,
    MailboxInfo,
    MailboxStatus,
    StoreOutcome,
)
from twisted_mail_node.mail.columns import Columns, FetchItem, InternalDate
from twisted_mail_node.mail.errors import (
    NoSuchAccount,
    NoSuchMailbox,
    TemporaryFailure,
    Unavailable,
)
from twisted_mail_node.mail.flags import FlagChange, Flags
from twisted_mail_node.mail.transaction import Body, Committed, Transaction
from twisted_mail_node.mail.uid_set import UIDSet
from twisted_mail_node.store.watches import Watches


@implementer(IBasicStore)
class WebmailStore:
    """The product's mail tables, in the file `path`. `users` are signed up at the start where they are missing."""

    def __init__(self, path: Path, *, reactor: Any, users: Sequence[str] = ()) -> None:
        self._path = path
        self._users = users
        self._reactor = reactor
        self._threads: ThreadPool | None = None
        self._database: sqlite3.Connection | None = None
        self._watches = Watches()

    # What the rest of the product calls

    def sign_up(self, name: str) -> Deferred[None]:
        """Make an account with INBOX. Fails with: AccountExists."""
        return self.run(webmail_tables.sign_up, name.lower())

    def close_account(self, name: str) -> Deferred[None]:
        """Remove an account and all its mail. Fails with: NoSuchAccount."""
        return self.run(webmail_tables.close_account, name.lower())

    # IBasicStore

    @returns_deferred
    async def start(self) -> None:
        """See IBasicStore."""
        self._threads = ThreadPool(1, 1, "webmail store")
        self._threads.start()
        await deferToThreadPool(self._reactor, self._threads, self._open)
        for name in set(self._users) - set(await self.accounts()):
            await self.sign_up(name)

    @returns_deferred
    async def stop(self) -> None:
        """See IBasicStore."""
        threads, self._threads = self._threads, None
        if threads is not None:
            await deferToThreadPool(self._reactor, threads, self._close)
            threads.stop()

    def deliver(self, transaction: Transaction) -> Deferred[Committed]:
        """See IBasicStore."""
        return self.run(webmail_tables.deliver, transaction)

    def accounts(self) -> Deferred[Sequence[str]]:
        """See IBasicStore."""
        return self.run(lambda work: [name for (name,) in work.rows("SELECT name FROM account ORDER BY name")])

    @returns_deferred
    async def account(self, name: str) -> IBasicAccount:
        """See IBasicStore."""
        account = await self.run(Work.account, name)
        if account is None:
            raise NoSuchAccount("no such user")
        return WebmailAccount(self, account, name)

    def watch(self, account: str, listener: ChangeListener) -> IWatch:
        """See IBasicStore."""
        return self._watches.watch(account, listener)

    # How anything is done

    def run(self, function: Callable[..., Any], *arguments: object) -> Deferred[Any]:
        """Call the function with a Work of its own in the database's thread. Its Deferred may be cancelled."""
        if self._threads is None:
            return fail(Unavailable("the mail store is stopped"))
        now = self._reactor.seconds()
        return deferToThreadPool(self._reactor, self._threads, self._transact, now, function, arguments)

    def _transact(self, now: float, function: Callable[..., Any], arguments: Sequence[object]) -> Any:
        assert self._database is not None
        work = Work(self._database, now)
        try:
            with _transaction(self._database):
                result = function(work, *arguments)
        except sqlite3.Error as error:
            raise TemporaryFailure("the mail store cannot do that now") from error
        if work.notices:
            self._reactor.callFromThread(self._watches.tell, list(work.notices.values()), False)
        return result

    def _open(self) -> None:
        self._database = sqlite3.connect(self._path, isolation_level=None)
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = FULL")
        self._database.executescript(SCHEMA)

    def _close(self) -> None:
        if self._database is not None:
            self._database.close()


@contextmanager
def _transaction(database: sqlite3.Connection) -> Iterator[None]:
    database.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        database.execute("ROLLBACK")
        raise
    database.execute("COMMIT")


@implementer(IBasicAccount)
class WebmailAccount:
    """One account."""

    def __init__(self, store: WebmailStore, account: int, name: str) -> None:
        self.name = name
        self._store = store
        self._account = account

    def mailboxes(self) -> Deferred[Sequence[MailboxInfo]]:
        """See IBasicAccount."""
        return self._run(webmail_tables.mailboxes)

    def statuses(self, mailbox_ids: Sequence[int]) -> Deferred[Sequence[MailboxStatus]]:
        """See IBasicAccount."""
        return self._run(webmail_tables.statuses, mailbox_ids)

    @returns_deferred
    async def mailbox(self, name: str) -> IBasicMailbox:
        """See IBasicAccount."""
        folder = await self._run(lambda work, account: work.folder(account, name))
        if folder is None:
            raise NoSuchMailbox("the mailbox does not exist")
        return WebmailFolder(self._store, self.name, self._account, folder)

    def create(self, name: str, special_use: str | None = None) -> Deferred[MailboxInfo]:
        """See IBasicAccount."""
        return self._run(webmail_tables.create, name, special_use)

    def rename(self, name: str, new_name: str) -> Deferred[None]:
        """See IBasicAccount."""
        return self._run(webmail_tables.rename, name, new_name)

    def delete(self, name: str) -> Deferred[None]:
        """See IBasicAccount."""
        return self._run(webmail_tables.delete, name)

    def subscribe(self, name: str, subscribed: bool) -> Deferred[None]:
        """See IBasicAccount."""
        return self._run(webmail_tables.subscribe, name, subscribed)

    def subscriptions(self) -> Deferred[Sequence[str]]:
        """See IBasicAccount."""
        return self._run(
            lambda work, account: [
                name for (name,) in work.rows("SELECT name FROM subscription WHERE account = ? ORDER BY name", account)
            ]
        )

    def _run(self, function: Callable[..., Any], *arguments: object) -> Deferred[Any]:
        def while_it_exists(work: Work) -> Any:
            if not work.rows("SELECT 1 FROM account WHERE id = ?", self._account):
                raise NoSuchAccount("the account does not exist any more")
            return function(work, self._account, *arguments)

        return self._store.run(while_it_exists)


@implementer(IBasicMailbox)
class WebmailFolder:
    """One folder."""

    def __init__(self, store: WebmailStore, account_name: str, account: int, folder: int) -> None:
        self.account = account_name
        self.mailbox_id = folder
        self._store = store
        self._account = account

    def status(self) -> Deferred[MailboxStatus]:
        """See IBasicMailbox."""
        return self._run(lambda work, account, folder: webmail_tables.statuses(work, account, [folder])[0])

    def uids(self) -> Deferred[UIDSet]:
        """See IBasicMailbox."""
        return self._run(lambda work, _, folder: UIDSet.of([uid for (uid,) in work.select(folder, None)]))

    def changes(self, since_modseq: int) -> Deferred[MailboxChanges]:
        """See IBasicMailbox."""
        return self._store.run(webmail_tables.changes, self.mailbox_id, since_modseq)

    def fetch(self, uids: UIDSet, items: FetchItem) -> Deferred[Columns]:
        """See IBasicMailbox."""
        return self._run(webmail_tables.fetch, uids, items)

    def open_body(self, uid: int) -> Deferred[IOpenBody]:
        """See IBasicMailbox."""
        return self._run(webmail_tables.open_body, uid).addCallback(lambda found: WebmailBody(self._store, *found))

    def append(self, messages: Sequence[tuple[Body, Flags, InternalDate]]) -> Deferred[CopyOutcome]:
        """See IBasicMailbox."""
        return self._run(webmail_tables.append, messages)

    def store_flags(
        self, uids: UIDSet, change: FlagChange, flags: Flags, unchanged_since: int | None = None
    ) -> Deferred[StoreOutcome]:
        """See IBasicMailbox."""
        return self._run(webmail_tables.store_flags, uids, change, flags, unchanged_since)

    def copy(self, uids: UIDSet, target: str) -> Deferred[CopyOutcome]:
        """See IBasicMailbox."""
        return self._run(webmail_tables.copy, uids, target)

    def expunge(self, uids: UIDSet | None = None, only_deleted: bool = True) -> Deferred[UIDSet]:
        """See IBasicMailbox."""
        return self._run(webmail_tables.expunge, uids, only_deleted)

    def _run(self, function: Callable[..., Any], *arguments: object) -> Deferred[Any]:
        def while_it_exists(work: Work) -> Any:
            if not work.rows("SELECT 1 FROM folder WHERE id = ?", self.mailbox_id):
                raise NoSuchMailbox("the mailbox does not exist any more")
            return function(work, self._account, self.mailbox_id, *arguments)

        return self._store.run(while_it_exists)


@implementer(IOpenBody)
class WebmailBody:
    """A message's content, read where it lies: any size, a piece at a time."""

    def __init__(self, store: WebmailStore, message: int, size: int) -> None:
        self.size = size
        self._store = store
        self._message = message

    def read(self, offset: int, length: int) -> Deferred[bytes]:
        """See IOpenBody."""
        return self._store.run(webmail_tables.read, self._message, offset, length)

    def close(self) -> None:
        """See IOpenBody. Nothing is held open between two reads."""
