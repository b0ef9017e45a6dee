"""
A mail store of an application's own: the tables of a small webmail product, served by a node.

It provides the required part of the door (`twisted_mail_node.interfaces.required_store`) and nothing else, on
Python's own sqlite3. docs/backends.md explains it. One thread has the database, so whatever is asked happens in
the order in which it was asked, each in a transaction of its own.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import astuple
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred, fail
from twisted.internet.threads import deferToThreadPool
from twisted.python.threadpool import ThreadPool
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
    ChangeKind,
    ChangeNotice,
    CopyOutcome,
    MailboxChanges,
    MailboxInfo,
    MailboxStatus,
    StoreOutcome,
)
from twisted_mail_node.mail.columns import INLINE_BODY_OCTETS, Columns, FetchItem, InternalDate
from twisted_mail_node.mail.errors import (
    AccountExists,
    NoSuchAccount,
    NoSuchMailbox,
    NoSuchMessage,
    PermanentFailure,
    Refused,
    TemporaryFailure,
    Unavailable,
)
from twisted_mail_node.mail.flags import FlagChange, Flags, flags_of
from twisted_mail_node.mail.mailbox_name import INBOX, canonical, checked, listing_key, plan_create, plan_rename
from twisted_mail_node.mail.special_use import checked_use
from twisted_mail_node.mail.status import EnhancedStatus
from twisted_mail_node.mail.transaction import Body, Committed, Placed, Placement, Transaction
from twisted_mail_node.mail.uid_set import EMPTY, UIDSet
from twisted_mail_node.store.watches import Watches

# A message that was expunged keeps its row: `gone` is when, `modseq` by which change. Its content stays readable for
# an hour, its number is told to clients that were away for longer. A folder's number is its UIDVALIDITY as well,
# since AUTOINCREMENT never gives a number twice.
SCHEMA = """
CREATE TABLE IF NOT EXISTS account (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE, modseq INTEGER);
CREATE TABLE IF NOT EXISTS folder (
    id INTEGER PRIMARY KEY AUTOINCREMENT, account INTEGER, name TEXT, special_use TEXT, uid_next INTEGER,
    modseq INTEGER, UNIQUE (account, name));
CREATE TABLE IF NOT EXISTS message (
    id INTEGER PRIMARY KEY, folder INTEGER, uid INTEGER, flags INTEGER, keywords TEXT, date INTEGER, zone INTEGER,
    size INTEGER, born INTEGER, modseq INTEGER, gone REAL, content BLOB, UNIQUE (folder, uid));
CREATE INDEX IF NOT EXISTS message_changed ON message (folder, modseq);
CREATE INDEX IF NOT EXISTS message_gone ON message (gone) WHERE gone IS NOT NULL AND content IS NOT NULL;
CREATE TABLE IF NOT EXISTS subscription (account INTEGER, name TEXT, PRIMARY KEY (account, name));
CREATE TABLE IF NOT EXISTS delivered (id TEXT PRIMARY KEY, outcome TEXT);
"""
READABLE_SECONDS = 3600.0
NO_ACCOUNT = (EnhancedStatus(5, 1, 1), "no such user")
NO_FOLDER = (EnhancedStatus(5, 1, 1), "no such mailbox")


class Work:
    """One transaction on the database: what every question and every change is made of."""

    def __init__(self, database: sqlite3.Connection, now: float) -> None:
        self.database = database
        self.now = now
        self.notices: dict[str, ChangeNotice] = {}

    def rows(self, statement: str, *values: object) -> list[Any]:
        """All rows of a statement."""
        return self.database.execute(statement, values).fetchall()

    def account(self, name: str) -> int | None:
        """The account's number."""
        found = self.rows("SELECT id FROM account WHERE name = ?", name)
        return int(found[0][0]) if found else None

    def folder(self, account: int, name: str) -> int | None:
        """The folder's number."""
        found = self.rows("SELECT id FROM folder WHERE account = ? AND name = ?", account, canonical(name))
        return int(found[0][0]) if found else None

    def folders(self, account: int) -> dict[str, int]:
        """All folders' numbers by their names."""
        return dict(self.rows("SELECT name, id FROM folder WHERE account = ?", account))

    def change(self, account: int, kinds: ChangeKind, *folders: int) -> int:
        """The number of a change of these folders, or of the account alone; told when the work is committed."""
        ((name, modseq),) = self.rows(
            "UPDATE account SET modseq = modseq + 1 WHERE id = ? RETURNING name, modseq", account
        )
        for folder in folders:
            self.rows("UPDATE folder SET modseq = ? WHERE id = ?", modseq, folder)
        before = self.notices.get(name, ChangeNotice(name, 0, frozenset(), ChangeKind(0)))
        self.notices[name] = ChangeNotice(name, modseq, before.mailbox_ids | {*folders}, before.kinds | kinds)
        return modseq

    def make_folders(self, account: int, names: Sequence[str], special_use: str | None) -> int:
        """Make folders; the last has the special use, and its number is returned."""
        modseq = self.change(account, ChangeKind.MAILBOXES)
        for name in names:
            use = special_use if name == names[-1] else None
            ((folder,),) = self.rows(
                "INSERT INTO folder VALUES (NULL, ?, ?, ?, 1, ?) RETURNING id", account, name, use, modseq
            )
        return int(folder)

    def add(self, folder: int, modseq: int, content: bytes, flags: Flags, date: InternalDate) -> int:
        """Add a message. Returns its UID."""
        ((uid,),) = self.rows("UPDATE folder SET uid_next = uid_next + 1 WHERE id = ? RETURNING uid_next - 1", folder)
        self.rows(
            "INSERT INTO message VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL, ?)",
            *(folder, uid, flags.bits, flags.keyword_text, *date, len(content), modseq, modseq, content),
        )
        return int(uid)

    def select(self, folder: int, uids: UIDSet | None, columns: str = "uid", where: str = "gone IS NULL") -> list[Any]:
        """Rows of messages of the set (None: of all), the UID first, ascending."""
        first, last = (uids.smallest, uids.largest) if uids else (1, 0 if uids is not None else 2**32)
        found = self.rows(
            f"SELECT {columns} FROM message WHERE folder = ? AND uid BETWEEN ? AND ? AND {where} ORDER BY uid",  # noqa: S608
            folder,
            first,
            last,
        )
        return found if uids is None else [row for row in found if row[0] in uids]

    def expunge(self, folder: int, uids: Sequence[int], modseq: int) -> None:
        """Mark these as gone, and forget the content of what went long ago."""
        self.database.executemany(
            "UPDATE message SET gone = ?, modseq = ? WHERE folder = ? AND uid = ?",
            [(self.now, modseq, folder, uid) for uid in uids],
        )
        self.rows(
            "UPDATE message SET content = NULL WHERE content IS NOT NULL AND gone < ?", self.now - READABLE_SECONDS
        )


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
        return self.run(_sign_up, name.lower())

    def close_account(self, name: str) -> Deferred[None]:
        """Remove an account and all its mail. Fails with: NoSuchAccount."""
        return self.run(_close_account, name.lower())

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
        return self.run(_deliver, transaction)

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
        return self._run(_mailboxes)

    def statuses(self, mailbox_ids: Sequence[int]) -> Deferred[Sequence[MailboxStatus]]:
        """See IBasicAccount."""
        return self._run(_statuses, mailbox_ids)

    @returns_deferred
    async def mailbox(self, name: str) -> IBasicMailbox:
        """See IBasicAccount."""
        folder = await self._run(lambda work, account: work.folder(account, name))
        if folder is None:
            raise NoSuchMailbox("the mailbox does not exist")
        return WebmailFolder(self._store, self.name, self._account, folder)

    def create(self, name: str, special_use: str | None = None) -> Deferred[MailboxInfo]:
        """See IBasicAccount."""
        return self._run(_create, name, special_use)

    def rename(self, name: str, new_name: str) -> Deferred[None]:
        """See IBasicAccount."""
        return self._run(_rename, name, new_name)

    def delete(self, name: str) -> Deferred[None]:
        """See IBasicAccount."""
        return self._run(_delete, name)

    def subscribe(self, name: str, subscribed: bool) -> Deferred[None]:
        """See IBasicAccount."""
        return self._run(_subscribe, name, subscribed)

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
        return self._run(lambda work, account, folder: _statuses(work, account, [folder])[0])

    def uids(self) -> Deferred[UIDSet]:
        """See IBasicMailbox."""
        return self._run(lambda work, _, folder: UIDSet.of([uid for (uid,) in work.select(folder, None)]))

    def changes(self, since_modseq: int) -> Deferred[MailboxChanges]:
        """See IBasicMailbox."""
        return self._store.run(_changes, self.mailbox_id, since_modseq)

    def fetch(self, uids: UIDSet, items: FetchItem) -> Deferred[Columns]:
        """See IBasicMailbox."""
        return self._run(_fetch, uids, items)

    def open_body(self, uid: int) -> Deferred[IOpenBody]:
        """See IBasicMailbox."""
        return self._run(_open_body, self._store, uid)

    def append(self, messages: Sequence[tuple[Body, Flags, InternalDate]]) -> Deferred[CopyOutcome]:
        """See IBasicMailbox."""
        return self._run(_append, messages)

    def store_flags(
        self, uids: UIDSet, change: FlagChange, flags: Flags, unchanged_since: int | None = None
    ) -> Deferred[StoreOutcome]:
        """See IBasicMailbox."""
        return self._run(_store_flags, uids, change, flags, unchanged_since)

    def copy(self, uids: UIDSet, target: str) -> Deferred[CopyOutcome]:
        """See IBasicMailbox."""
        return self._run(_copy, uids, target)

    def expunge(self, uids: UIDSet | None = None, only_deleted: bool = True) -> Deferred[UIDSet]:
        """See IBasicMailbox."""
        return self._run(_expunge, uids, only_deleted)

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
        return self._store.run(_read, self._message, offset, length)

    def close(self) -> None:
        """See IOpenBody. Nothing is held open between two reads."""


# Accounts


def _sign_up(work: Work, name: str) -> None:
    if work.account(name) is not None:
        raise AccountExists("there is such a user already")
    ((account,),) = work.rows("INSERT INTO account VALUES (NULL, ?, 0) RETURNING id", name)
    work.make_folders(account, [INBOX], None)
    work.rows("INSERT INTO subscription VALUES (?, ?)", account, INBOX)


def _close_account(work: Work, name: str) -> None:
    account = work.account(name)
    if account is None:
        raise NoSuchAccount("no such user")
    work.change(account, ChangeKind.REMOVED)
    work.rows("DELETE FROM message WHERE folder IN (SELECT id FROM folder WHERE account = ?)", account)
    for table, column in (("folder", "account"), ("subscription", "account"), ("account", "id")):
        work.rows(f"DELETE FROM {table} WHERE {column} = ?", account)  # noqa: S608


def _deliver(work: Work, transaction: Transaction) -> Committed:
    known = work.rows("SELECT outcome FROM delivered WHERE id = ?", transaction.id)
    if known:
        return Committed(tuple(Placed(*place) for place in json.loads(known[0][0])), ())
    targets = [_target(work, placement) for placement in transaction.placements]
    refusals = {position: target for position, target in enumerate(targets) if isinstance(target[0], EnhancedStatus)}
    if refusals:
        raise Refused(refusals)
    placed = []
    for placement, (account, folder) in zip(transaction.placements, targets, strict=True):
        content = placement.prefix + (transaction.bodies[placement.body].content or b"")
        modseq = work.change(account, ChangeKind.MESSAGES, folder)
        uid = work.add(folder, modseq, content, placement.flags, placement.internal_date)
        placed.append(Placed(folder, folder, uid))
    work.rows("INSERT INTO delivered VALUES (?, ?)", transaction.id, json.dumps([astuple(place) for place in placed]))
    return Committed(tuple(placed), ())


def _target(work: Work, placement: Placement) -> Any:
    """(account, folder), or why there is none."""
    account = work.account(placement.account)
    if account is None:
        return NO_ACCOUNT
    folder = work.folder(account, placement.mailbox)
    if folder is None and placement.or_inbox:
        folder = work.folder(account, INBOX)
    return NO_FOLDER if folder is None else (account, folder)


# Folders


def _mailboxes(work: Work, account: int) -> list[MailboxInfo]:
    found = work.rows("SELECT id, name, id, special_use FROM folder WHERE account = ?", account)
    return sorted((MailboxInfo(*row) for row in found), key=lambda info: listing_key(info.name))


def _statuses(work: Work, account: int, folders: Sequence[int]) -> list[MailboxStatus]:
    statuses = []
    for folder in folders:
        for uid_next, modseq in work.rows("SELECT uid_next, modseq FROM folder WHERE id = ?", folder):
            ((messages, unseen, deleted, size),) = work.rows(
                "SELECT count(*), total(flags & 1 = 0), total(flags & 8 <> 0), total(size) FROM message "
                "WHERE folder = ? AND gone IS NULL",
                folder,
            )
            counters = (messages, int(unseen), int(deleted), int(size))
            statuses.append(MailboxStatus(folder, folder, uid_next, *counters, modseq, 0))
    return statuses


def _create(work: Work, account: int, name: str, special_use: str | None) -> MailboxInfo:
    names = plan_create(work.folders(account), name)
    folder = work.make_folders(account, names, checked_use(special_use))
    return MailboxInfo(folder, names[-1], folder, special_use)


def _rename(work: Work, account: int, name: str, new_name: str) -> None:
    folders = work.folders(account)
    plan = plan_rename(folders, name, new_name)
    made = work.make_folders(account, plan.created, None) if plan.created else None
    modseq = work.change(account, ChangeKind.MAILBOXES)
    for old, new in plan.moved.items():
        work.rows("UPDATE folder SET name = ? WHERE id = ?", new, folders[old])
    if not plan.moved and made is not None:  # INBOX stays, and gives its messages away
        inbox = folders[INBOX]
        uids = [uid for (uid,) in work.select(inbox, None)]
        modseq = work.change(account, ChangeKind.MESSAGES, inbox, made)
        _copy_rows(work, inbox, UIDSet.of(uids), made, modseq)
        work.expunge(inbox, uids, modseq)


def _delete(work: Work, account: int, name: str) -> None:
    folder = work.folder(account, name)
    if folder is None:
        raise NoSuchMailbox("the mailbox does not exist")
    if canonical(name) == INBOX:
        raise PermanentFailure("INBOX cannot be deleted")
    work.change(account, ChangeKind.MAILBOXES)
    work.rows("DELETE FROM message WHERE folder = ?", folder)
    work.rows("DELETE FROM folder WHERE id = ?", folder)


def _subscribe(work: Work, account: int, name: str, subscribed: bool) -> None:
    name = checked(name) if subscribed else canonical(name)
    if subscribed:
        changed = work.rows("INSERT INTO subscription VALUES (?, ?) ON CONFLICT DO NOTHING RETURNING 1", account, name)
    else:
        changed = work.rows("DELETE FROM subscription WHERE account = ? AND name = ? RETURNING 1", account, name)
    if changed:
        work.change(account, ChangeKind.SUBSCRIPTIONS)


# Messages


def _fetch(work: Work, account: int, folder: int, uids: UIDSet, items: FetchItem) -> Columns:
    content = f"CASE WHEN size <= {INLINE_BODY_OCTETS} THEN content END" if FetchItem.BODY in items else "NULL"
    readable = f"(gone IS NULL OR gone > {work.now - READABLE_SECONDS!r})"
    rows = work.select(folder, uids, f"uid, flags, keywords, date, zone, size, modseq, {content}", readable)
    columns = Columns([row[0] for row in rows])
    if FetchItem.FLAGS in items:
        columns.flags = [flags_of(row[1], row[2]) for row in rows]
    if FetchItem.INTERNAL_DATE in items:
        columns.internal_dates = [InternalDate(row[3], row[4]) for row in rows]
    if FetchItem.SIZE in items:
        columns.sizes = [row[5] for row in rows]
    if FetchItem.MODSEQ in items:
        columns.modseqs = [row[6] for row in rows]
    if FetchItem.BODY in items:
        columns.bodies = [row[7] for row in rows]
    return columns


def _open_body(work: Work, account: int, folder: int, store: WebmailStore, uid: int) -> IOpenBody:
    found = work.rows("SELECT id, size FROM message WHERE folder = ? AND uid = ? AND content IS NOT NULL", folder, uid)
    if not found:
        raise NoSuchMessage("the message no longer exists")
    return WebmailBody(store, *found[0])


def _read(work: Work, message: int, offset: int, length: int) -> bytes:
    try:
        with work.database.blobopen("message", "content", message, readonly=True) as blob:
            blob.seek(min(offset, len(blob)))
            return blob.read(length)
    except sqlite3.OperationalError as error:
        raise NoSuchMessage("the message no longer exists") from error


def _append(work: Work, account: int, folder: int, messages: Sequence[tuple[Body, Flags, InternalDate]]) -> CopyOutcome:
    modseq = work.change(account, ChangeKind.MESSAGES, folder) if messages else 0
    uids = [work.add(folder, modseq, body.content or b"", flags, date) for body, flags, date in messages]
    return CopyOutcome(folder, (), uids)


def _store_flags(
    work: Work, account: int, folder: int, uids: UIDSet, change: FlagChange, by: Flags, since: int | None
) -> StoreOutcome:
    rows = work.select(folder, uids, "uid, flags, keywords, modseq")
    changed, modified = [], []
    for uid, bits, keywords, modseq in rows:
        before = flags_of(bits, keywords)
        after = before.changed(change, by)
        if since is not None and modseq > since:
            modified.append(uid)
        elif after != before:
            changed.append((uid, after))
    modseq = work.change(account, ChangeKind.MESSAGES, folder) if changed else 0
    work.database.executemany(
        "UPDATE message SET flags = ?, keywords = ?, modseq = ? WHERE folder = ? AND uid = ?",
        [(flags.bits, flags.keyword_text, modseq, folder, uid) for uid, flags in changed],
    )
    ((uid_next,),) = work.rows("SELECT uid_next FROM folder WHERE id = ?", folder)
    gone = (uids & UIDSet.span(1, uid_next - 1)) - UIDSet.of([row[0] for row in rows])
    columns = Columns(
        [uid for uid, _ in changed], flags=[flags for _, flags in changed], modseqs=[modseq] * len(changed)
    )
    return StoreOutcome(columns, UIDSet.of(modified), gone)


def _copy(work: Work, account: int, folder: int, uids: UIDSet, target: str) -> CopyOutcome:
    made = work.folder(account, target)
    if made is None:
        raise NoSuchMailbox("the mailbox does not exist")
    found = [uid for (uid,) in work.select(folder, uids)]
    if not found:
        return CopyOutcome(made, (), ())
    modseq = work.change(account, ChangeKind.MESSAGES, made)
    return CopyOutcome(made, found, _copy_rows(work, folder, UIDSet.of(found), made, modseq))


def _copy_rows(work: Work, folder: int, uids: UIDSet, target: int, modseq: int) -> list[int]:
    copies = []
    for uid in uids:
        ((copy,),) = work.rows("UPDATE folder SET uid_next = uid_next + 1 WHERE id = ? RETURNING uid_next - 1", target)
        work.rows(
            "INSERT INTO message SELECT NULL, ?, ?, flags, keywords, date, zone, size, ?, ?, NULL, content "
            "FROM message WHERE folder = ? AND uid = ?",
            *(target, copy, modseq, modseq, folder, uid),
        )
        copies.append(copy)
    return copies


def _expunge(work: Work, account: int, folder: int, uids: UIDSet | None, only_deleted: bool) -> UIDSet:
    found = work.select(folder, uids, where="gone IS NULL AND flags & 8 <> 0" if only_deleted else "gone IS NULL")
    if not found:
        return EMPTY
    removed = [uid for (uid,) in found]
    work.expunge(folder, removed, work.change(account, ChangeKind.MESSAGES, folder))
    return UIDSet.of(removed)


def _changes(work: Work, folder: int, since: int) -> MailboxChanges:
    known = work.rows("SELECT modseq, uid_next FROM folder WHERE id = ?", folder)
    if not known:
        nothing = Columns((), flags=(), modseqs=())
        return MailboxChanges(since, 1, nothing, nothing, EMPTY, exists=False)
    rows = work.rows(
        "SELECT uid, flags, keywords, modseq, born, gone FROM message WHERE folder = ? AND modseq > ? ORDER BY uid",
        folder,
        since,
    )
    here = [row for row in rows if row[5] is None]
    came, flagged = [row for row in here if row[4] > since], [row for row in here if row[4] <= since]
    vanished = UIDSet.of([row[0] for row in rows if row[5] is not None and row[4] <= since])
    ((modseq, uid_next),) = known
    return MailboxChanges(modseq, uid_next, _flag_columns(came), _flag_columns(flagged), vanished)


def _flag_columns(rows: Sequence[Any]) -> Columns:
    return Columns(
        [row[0] for row in rows], flags=[flags_of(row[1], row[2]) for row in rows], modseqs=[row[3] for row in rows]
    )
