"""
SQLStore: all durable doors on one database. What this module decides is which part answers which door; it does no
work itself.

Neighbours: `machinery` is what runs; `account`, `mailbox`, `queue`, `directory` say what is done; `sqlite` and
`postgres` each have a store that knows its engine.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TypeVar

from twisted.internet.defer import Deferred, DeferredLock
from zope.interface import implementer

from ...interfaces.credentials import IAppPasswords, IVerifierKeeping
from ...interfaces.deferred import returns_deferred, shielded
from ...interfaces.queue import IQueueStore
from ...interfaces.store import (
    IACL,
    ChangeListener,
    IAccount,
    IBodyWriter,
    IDirectory,
    IMailStore,
    IMetadata,
    IOpenBody,
    IQuota,
    IWatch,
)
from ...mail.address import Address
from ...mail.annotation import Annotation
from ...mail.app_password import AppPassword
from ...mail.changes import AnnotationChanges, CopyOutcome
from ...mail.errors import NoSuchAccount, NoSuchItem, NoSuchMessage
from ...mail.queue_item import QueueItem, Settled
from ...mail.quota import NO_RULES, Quota, QuotaLimits, QuotaRules
from ...mail.rights import Right, RightsChange, SharedMailbox
from ...mail.scram import ScramVerifier
from ...mail.transaction import Committed, Transaction
from ...mail.uid_set import UIDSet
from ..history import HISTORY_SECONDS
from ..maildir.tree import Tree
from ..watches import Watches
from . import acl, credentials, directory, metadata, queue, quota, sharing
from .account import SQLAccount, create_account, remove_account
from .batch import BatchLimits, Operation
from .bodies import BodyWriter, OpenBody, StoredBody
from .connection import Connection
from .engine import Engine, IReactor
from .machinery import Machinery
from .readers import Read

T = TypeVar("T")


@implementer(IMailStore, IQueueStore, IDirectory, IMetadata, IACL, IVerifierKeeping, IAppPasswords, IQuota)
class SQLStore:
    """
    All durable doors on one database; see the module.

    Args:
        engine: gives the database of one start.
        reactor: IReactorTime and IReactorFromThreads; its `seconds` are seconds since the epoch.
        limits: how much goes into one commit.
        reader_threads: threads that read, each with a connection.
        tree: where messages of mailboxes are files; without one they are in the database.
        rules: how much accounts may hold that have no limits of their own.
    """

    def __init__(
        self,
        engine: Callable[[], Engine],
        reactor: IReactor,
        limits: BatchLimits,
        reader_threads: int,
        tree: Tree | None = None,
        rules: QuotaRules = NO_RULES,
        history_seconds: float = HISTORY_SECONDS,
    ) -> None:
        self._engine = engine
        self._rules = rules
        self._history_seconds = history_seconds
        self._tree = tree
        self._reactor = reactor
        self._watches = Watches()
        self._limits = limits
        self._reader_threads = reader_threads
        self._machinery = self._make()
        self._version = 1
        self._leasing = DeferredLock()

    # -- life ------------------------------------------------------------------------------------------------

    @returns_deferred
    async def start(self) -> None:
        """
        See IMailStore.

        Fails with: PermanentFailure: the database cannot be opened, is a later version's, or is none of ours; with
            SQLite also where another process has it open.
        """
        machinery = self._make()
        await machinery.start()
        self._machinery = machinery

    @returns_deferred
    async def stop(self) -> None:
        """See IMailStore. Fires when all threads have ended and the file is closed."""
        if self._machinery.running:
            await self._machinery.stop()

    @property
    def commits(self) -> int:
        """How many commits were made since the start; for measuring."""
        return self._machinery.writer.commits

    def _make(self) -> Machinery:
        return Machinery(
            self._engine(),
            self._reactor,
            self._watches,
            self._limits,
            self._reader_threads,
            self._users_changed,
            self._tree,
            self._rules,
            self._history_seconds,
        )

    def _users_changed(self) -> None:
        self._version += 1

    def _read(self, read: Read[T]) -> Deferred[T]:
        return self._machinery.readers.read(read)

    def _write(self, operation: Operation[T]) -> Deferred[T]:
        return self._machinery.writer.submit(operation)

    # -- IMailStore ------------------------------------------------------------------------------------------

    def stage_body(self) -> IBodyWriter:
        """See IMailStore."""
        return BodyWriter(self._machinery.writer, self._machinery.pins)

    def deliver(self, transaction: Transaction) -> Deferred[Committed]:
        """See IMailStore. Fails also with TemporaryFailure: a staged body is gone."""
        return self._machinery.writer.deliver(transaction)

    def create_account(self, name: str, mailboxes: Sequence[tuple[str, str | None]] = ()) -> Deferred[None]:
        """See IMailStore. Fails also as IAccount.create where a mailbox cannot be."""
        made = self._write(lambda state: create_account(state, name, mailboxes))
        return made if self._machinery.files is None else shielded(Deferred.fromCoroutine(self._taken_over(made, name)))

    async def _taken_over(self, made: Deferred[None], account: str) -> None:
        await made
        if self._machinery.files is not None:
            await self._machinery.files.take_over(account)

    def remove_account(self, name: str) -> Deferred[None]:
        """See IMailStore. A user of that name goes with it; the mail is swept away later, in slices."""
        return self._changing_users(lambda state: remove_account(state, name), removed=name)

    def accounts(self) -> Deferred[Sequence[str]]:
        """See IMailStore."""
        return self._read(lambda connection: [row[0] for row in connection.every(_ACCOUNTS)])

    @returns_deferred
    async def account(self, name: str) -> IAccount:
        """See IMailStore."""
        row = await self._read(
            lambda connection: connection.find("SELECT account FROM account WHERE name = ?", (name,))
        )
        if row is None:
            raise NoSuchAccount("the account does not exist")
        return SQLAccount(self._machinery, name, row[0])

    def watch(self, account: str, listener: ChangeListener) -> IWatch:
        """See IMailStore."""
        return self._watches.watch(account, listener)

    # -- IMetadata -------------------------------------------------------------------------------------------

    def annotations(self, account: str, mailbox_id: int, user: str) -> Deferred[Mapping[str, int]]:
        """See IMetadata."""
        return self._read(lambda connection: metadata.names(connection, account, mailbox_id, user))

    def annotation_values(
        self, account: str, mailbox_ids: Collection[int], user: str, names: Collection[str]
    ) -> Deferred[Mapping[int, Mapping[str, bytes]]]:
        """See IMetadata."""
        return self._read(lambda connection: metadata.values(connection, account, mailbox_ids, user, names))

    def annotate(
        self, account: str, mailbox_id: int, user: str, values: Mapping[str, bytes | None], most: int
    ) -> Deferred[int]:
        """See IMetadata."""
        return self._write(lambda state: metadata.annotate(state, account, mailbox_id, user, values, most))

    def annotation_changes(self, account: str, user: str, since_modseq: int) -> Deferred[AnnotationChanges]:
        """See IMetadata."""
        return self._read(lambda connection: metadata.changes(connection, account, user, since_modseq))

    def all_annotations(self, account: str, mailbox_id: int) -> Deferred[Sequence[Annotation]]:
        """See IMetadata."""
        return self._read(lambda connection: metadata.every_one(connection, account, mailbox_id))

    # -- IACL ------------------------------------------------------------------------------------------------

    def acl(self, account: str, mailbox_id: int) -> Deferred[Mapping[str, Right]]:
        """See IACL."""
        return self._read(lambda connection: acl.acl(connection, account, mailbox_id))

    def change_rights(
        self, account: str, mailbox_id: int, identifier: str, change: RightsChange, rights: Right
    ) -> Deferred[int]:
        """See IACL."""
        return self._write(lambda state: acl.change_rights(state, account, mailbox_id, identifier, change, rights))

    def shared_with(self, user: str) -> Deferred[Sequence[SharedMailbox]]:
        """See IACL."""
        return self._read(lambda connection: acl.shared_with(connection, user))

    def find_shared(self, account: str, name: str, user: str) -> Deferred[tuple[int, Right]]:
        """See IACL."""
        return self._read(lambda connection: acl.find_shared(connection, account, name, user))

    def rights_in(self, account: str, mailbox_id: int, user: str) -> Deferred[Right]:
        """See IACL."""
        return self._read(lambda connection: acl.rights_in(connection, account, mailbox_id, user))

    def rights_above(self, account: str, name: str, user: str) -> Deferred[Right]:
        """See IACL."""
        return self._read(lambda connection: acl.rights_above(connection, account, name, user))

    def copy_between(
        self, source: tuple[str, int], uids: UIDSet, target: tuple[str, int], rights: Right, move: bool
    ) -> Deferred[CopyOutcome]:
        """See IACL."""
        return shielded(Deferred.fromCoroutine(self._copy_between(source, uids, target, rights, move)))

    async def _copy_between(
        self, source: tuple[str, int], uids: UIDSet, target: tuple[str, int], rights: Right, move: bool
    ) -> CopyOutcome:
        numbers = await self._read(lambda connection: acl.numbers_of(connection, source[0], target[0]))
        return await self._machinery.writer.submit(
            lambda state: sharing.copy_between(state, source, uids, target, rights, move),
            account=numbers[0],
            other=numbers[-1],
        )

    # -- IQuota ----------------------------------------------------------------------------------------------

    def quota(self, account: str) -> Deferred[Quota]:
        """See IQuota."""
        return self._read(lambda connection: quota.quota(connection, account, self._rules))

    def quotas(self, after: str = "", limit: int = 1000) -> Deferred[Sequence[tuple[str, Quota]]]:
        """See IQuota."""
        return self._read(lambda connection: quota.quotas(connection, self._rules, after, limit))

    def set_quota(self, account: str, limits: QuotaLimits | None) -> Deferred[None]:
        """See IQuota."""
        return self._write(lambda state: quota.set_quota(state, account, limits))

    # -- IDirectory ------------------------------------------------------------------------------------------

    @property
    def version(self) -> int:
        """See IDirectory."""
        return self._version

    def _account_removed(self, name: str) -> None:
        """What was kept outside of the database for this account is to be forgotten."""

    def _changing_users(self, operation: Operation[T], removed: str | None = None) -> Deferred[T]:
        def changed(result: T) -> T:
            self._version += 1
            if removed is not None:
                self._account_removed(removed)
            return result

        # A caller who gives the answer up must not keep the commit from being known here.
        return shielded(self._write(operation).addCallback(changed))

    def add_user(
        self, name: str, password_hash: str, mailboxes: Sequence[tuple[str, str | None]] = ()
    ) -> Deferred[None]:
        """See IDirectory. Fails also as IAccount.create where a mailbox cannot be."""
        made = self._changing_users(lambda state: directory.add_user(state, name, password_hash, mailboxes))
        return made if self._machinery.files is None else shielded(Deferred.fromCoroutine(self._taken_over(made, name)))

    def remove_user(self, name: str) -> Deferred[None]:
        """See IDirectory."""
        return self._changing_users(lambda state: directory.remove_user(state, name), removed=name)

    def set_password_hash(self, name: str, password_hash: str) -> Deferred[None]:
        """See IDirectory."""
        return self._changing_users(lambda state: directory.set_password_hash(state, name, password_hash))

    def users(self) -> Deferred[Sequence[str]]:
        """See IDirectory."""
        return self._read(directory.users)

    def password_hash(self, name: str) -> Deferred[str | None]:
        """See IDirectory."""
        return self._read(lambda connection: directory.password_hash(connection, name))

    def set_alias(self, source: str, targets: Sequence[Address]) -> Deferred[None]:
        """See IDirectory."""
        return self._changing_users(lambda state: directory.set_alias(state, source, targets))

    def alias(self, source: str) -> Deferred[Sequence[Address]]:
        """See IDirectory."""
        return self._read(lambda connection: directory.alias(connection, source))

    def aliases(self) -> Deferred[Sequence[tuple[str, Sequence[Address]]]]:
        """See IDirectory."""
        return self._read(directory.aliases)

    # -- IVerifierKeeping, IAppPasswords ---------------------------------------------------------------------

    def verifiers(self, name: str) -> Deferred[Sequence[ScramVerifier]]:
        """See IVerifierKeeping."""
        return self._read(lambda connection: credentials.verifiers(connection, name))

    def keep_verifiers(self, name: str, password_hash: str, verifiers: Sequence[ScramVerifier]) -> Deferred[bool]:
        """See IVerifierKeeping."""
        return self._changing_users(lambda state: credentials.keep_verifiers(state, name, password_hash, verifiers))

    def names_with_verifiers(self) -> Deferred[Sequence[str]]:
        """See IVerifierKeeping."""
        return self._read(credentials.names_with_verifiers)

    def add_app_password(self, name: str, app_password: AppPassword) -> Deferred[None]:
        """See IAppPasswords."""
        return self._changing_users(lambda state: credentials.add_app_password(state, name, app_password))

    def remove_app_password(self, name: str, label: str) -> Deferred[None]:
        """See IAppPasswords."""
        return self._changing_users(lambda state: credentials.remove_app_password(state, name, label))

    def app_passwords(self, name: str) -> Deferred[Sequence[AppPassword]]:
        """See IAppPasswords."""
        return self._read(lambda connection: credentials.app_passwords(connection, name))

    def app_password_used(self, name: str, label: str, at: int) -> Deferred[None]:
        """See IAppPasswords."""
        return self._write(lambda state: credentials.app_password_used(state, name, label, at))

    # -- IQueueStore -----------------------------------------------------------------------------------------

    @returns_deferred
    async def lease(
        self, owner: str, now: float, until: float, limit: int, busy: frozenset[str]
    ) -> Sequence[QueueItem]:
        """See IQueueStore."""
        await self._leasing.acquire()  # what is found is marked before the next one looks
        try:
            while (found := await self._read(lambda connection: queue.find_due(connection, now, limit, busy))) != ():
                if found is None:
                    await self._write(lambda state: queue.end_leases(state, now))
                elif leased := await self._write(queue.leasing(owner, now, until, found)):
                    return leased
                # Else another node was faster: what is due now is others.
            return ()
        finally:
            self._leasing.release()

    def renew(self, owner: str, item_ids: Sequence[int], until: float) -> Deferred[None]:
        """See IQueueStore."""
        return self._write(lambda state: queue.renew(state, owner, item_ids, until))

    def settle(self, now: float, settled: Sequence[Settled], follow_ups: Sequence[Transaction] = ()) -> Deferred[None]:
        """See IQueueStore. Fails also as `deliver`, and then nothing is recorded."""
        return self._write(lambda state: queue.settle(state, now, settled, follow_ups))

    def next_due(self, now: float) -> Deferred[float | None]:
        """See IQueueStore."""
        return self._read(lambda connection: queue.next_due(connection, now))

    def release_leases(self, owner: str) -> Deferred[None]:
        """See IQueueStore."""
        return self._write(lambda state: queue.release_leases(state, owner))

    def items(self, limit: int = 1000, after_item_id: int = 0) -> Deferred[Sequence[QueueItem]]:
        """See IQueueStore."""
        return self._read(lambda connection: queue.items(connection, limit, after_item_id))

    def item(self, item_id: int) -> Deferred[QueueItem]:
        """See IQueueStore."""
        return self._read(lambda connection: queue.item(connection, item_id))

    @returns_deferred
    async def retry(self, item_ids: Sequence[int] | None, now: float) -> int:
        """See IQueueStore. All of a long queue is several commits, so that nobody waits for it."""
        if item_ids is not None:
            return await self._write(lambda state: queue.retry(state, item_ids, now))
        count = after = 0
        while some := await self._items_after(after):
            count += await self.retry(some, now)
            after = some[-1]
        return count

    def _items_after(self, item_id: int) -> Deferred[list[int]]:
        return self._read(lambda connection: queue.item_ids(connection, queue.RETRY_SLICE, item_id))

    def drop(self, item_ids: Sequence[int]) -> Deferred[int]:
        """See IQueueStore."""
        return self._write(lambda state: queue.drop(state, item_ids))

    @returns_deferred
    async def open_queued(self, body_id: int) -> IOpenBody:
        """See IQueueStore."""
        machinery = self._machinery

        def find(connection: Connection) -> StoredBody:
            queue.check_body(connection, body_id)
            try:
                return StoredBody(connection, body_id, b"")
            except NoSuchMessage as error:
                raise NoSuchItem("no item in the queue has this body") from error

        what = f"body {body_id} in the queue"
        return OpenBody(await machinery.readers.read(find, what), machinery.readers, machinery.pins, what)

    def watch_queue(self, listener: Callable[[], None]) -> None:
        """See IQueueStore."""
        self._watches.watch_queue(listener)


_ACCOUNTS = "SELECT name FROM account ORDER BY name"
