"""MemoryStore: the doors of the whole backend."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IReactorTime
from zope.interface import implementer

from ...interfaces.credentials import IAppPasswords, IVerifierKeeping
from ...interfaces.queue import IQueueStore
from ...interfaces.store import (
    IACL,
    ChangeListener,
    IAccount,
    IBodyWriter,
    IDirectory,
    IMaildropLock,
    IMailStore,
    IMetadata,
    IOpenBody,
    IQuota,
    IWatch,
)
from ...mail.address import Address
from ...mail.annotation import THE_ACCOUNT, Annotation
from ...mail.app_password import AppPassword
from ...mail.changes import AnnotationChanges, ChangeKind, CopyOutcome
from ...mail.errors import AccountExists, NoSuchAccount, NotHeld
from ...mail.queue_item import Deferred as DeferredOutcome
from ...mail.queue_item import QueueItem, Settled
from ...mail.quota import NO_RULES, Quota, QuotaLimits, QuotaRules
from ...mail.rights import Right, RightsChange, SharedMailbox
from ...mail.scram import ScramVerifier
from ...mail.transaction import Committed, Transaction
from ...mail.uid_set import UIDSet
from ..history import HISTORY_SECONDS
from ..identity import next_uid_validity
from ..maildrop_locks import MaildropLocks
from .account import AccountContents
from .answers import Life, answered
from .commit import Commits
from .content import OpenBody
from .directory import DirectoryContents
from .doors import MemoryAccount
from .notices import Notices
from .queue import QueueContents
from .sharing import Sharing
from .staging import BodySource


@implementer(
    IMailStore, IQueueStore, IMaildropLock, IDirectory, IMetadata, IACL, IVerifierKeeping, IAppPasswords, IQuota
)
class MemoryStore:
    """
    All durable doors, in memory. Deferreds have fired when they are returned; notices come in a later turn.

    Stopping and starting again keeps what is there; it goes with the object.

    Args:
        clock: tells the time (internal ends of leases, locks, readability), and carries the notices.
        rules: how much accounts may hold that have no limits of their own.
    """

    def __init__(
        self, clock: IReactorTime, rules: QuotaRules = NO_RULES, history_seconds: float = HISTORY_SECONDS
    ) -> None:
        self._rules = rules
        self._history_seconds = history_seconds
        self.life = Life(clock)
        self._notices = Notices(clock)
        self._bodies = BodySource(self.life)
        self._accounts: dict[str, AccountContents] = {}
        self._queue = QueueContents()
        self._commits = Commits(self._accounts, self._bodies, self._queue, self._notices, self.life, rules)
        self._sharing = Sharing(self._accounts)
        self._directory = DirectoryContents()
        self._locks = MaildropLocks()
        self._last_uid_validity = 0

    # IMailStore

    def start(self) -> Deferred[None]:
        """See IMailStore."""
        self.life.running = True
        return succeed(None)

    def stop(self) -> Deferred[None]:
        """See IMailStore. Notices not told yet are dropped."""
        self.life.running = False
        self._notices.drop()
        return succeed(None)

    def stage_body(self) -> IBodyWriter:
        """See IMailStore."""
        return self._bodies.writer()

    @answered
    def deliver(self, transaction: Transaction) -> Committed:
        """See IMailStore. Fails also with TemporaryFailure: a staged body is gone."""
        return self._commits.carry_out(self._commits.planned(transaction))

    @answered
    def create_account(self, name: str, mailboxes: Sequence[tuple[str, str | None]] = ()) -> None:
        """See IMailStore. Fails also as IAccount.create where a mailbox cannot be."""
        self._make_account(name, mailboxes)

    @answered
    def remove_account(self, name: str) -> None:
        """See IMailStore. A user of that name goes with it."""
        self._forget_account(self._account(name))

    @answered
    def accounts(self) -> Sequence[str]:
        """See IMailStore."""
        return sorted(self._accounts)

    @answered
    def account(self, name: str) -> IAccount:
        """See IMailStore."""
        return MemoryAccount(self._account(name), self.life, self._bodies)

    def watch(self, account: str, listener: ChangeListener) -> IWatch:
        """See IMailStore."""
        return self._notices.watch(account, listener)

    # IMetadata

    @answered
    def annotations(self, account: str, mailbox_id: int, user: str) -> Mapping[str, int]:
        """See IMetadata."""
        found = self._account(account).seen(mailbox_id, user)
        return {name: len(found[name]) for name in sorted(found)}

    @answered
    def annotation_values(
        self, account: str, mailbox_ids: Collection[int], user: str, names: Collection[str]
    ) -> Mapping[int, Mapping[str, bytes]]:
        """See IMetadata."""
        contents = self._account(account)
        known = {THE_ACCOUNT, *(mailbox.mailbox_id for mailbox in contents.mailboxes)}
        found: dict[int, dict[str, bytes]] = {}
        for mailbox_id in mailbox_ids:
            seen = contents.seen(mailbox_id, user) if mailbox_id in known else {}
            found[mailbox_id] = {name: seen[name] for name in names if name in seen}
        return found

    @answered
    def annotate(self, account: str, mailbox_id: int, user: str, values: Mapping[str, bytes | None], most: int) -> int:
        """See IMetadata."""
        return self._account(account).annotate(mailbox_id, user, values, most)

    @answered
    def annotation_changes(self, account: str, user: str, since_modseq: int) -> AnnotationChanges:
        """See IMetadata."""
        contents = self._account(account)
        return AnnotationChanges(contents.modseq, contents.annotations.changed(user, since_modseq))

    @answered
    def all_annotations(self, account: str, mailbox_id: int) -> Sequence[Annotation]:
        """See IMetadata."""
        contents = self._account(account)
        contents.by_id(mailbox_id)
        return contents.annotations.every_one(mailbox_id)

    # IACL

    @answered
    def acl(self, account: str, mailbox_id: int) -> Mapping[str, Right]:
        """See IACL."""
        contents = self._account(account)
        contents.by_id(mailbox_id)
        return contents.access.of(mailbox_id)

    @answered
    def change_rights(self, account: str, mailbox_id: int, identifier: str, change: RightsChange, rights: Right) -> int:
        """See IACL."""
        return self._sharing.change_rights(self._account(account), mailbox_id, identifier, change, rights)

    @answered
    def shared_with(self, user: str) -> Sequence[SharedMailbox]:
        """See IACL."""
        return self._sharing.shared_with(user)

    @answered
    def find_shared(self, account: str, name: str, user: str) -> tuple[int, Right]:
        """See IACL."""
        return self._sharing.find(account, name, user)

    @answered
    def rights_in(self, account: str, mailbox_id: int, user: str) -> Right:
        """See IACL."""
        return self._sharing.rights_in(account, mailbox_id, user)

    @answered
    def rights_above(self, account: str, name: str, user: str) -> Right:
        """See IACL."""
        return self._sharing.rights_above(account, name, user)

    @answered
    def copy_between(
        self, source: tuple[str, int], uids: UIDSet, target: tuple[str, int], rights: Right, move: bool
    ) -> CopyOutcome:
        """See IACL."""
        return self._sharing.copy(source, uids, target, rights, self.life.now, move=move)

    # IQuota

    @answered
    def quota(self, account: str) -> Quota:
        """See IQuota."""
        return self._account(account).quota

    @answered
    def quotas(self, after: str = "", limit: int = 1000) -> Sequence[tuple[str, Quota]]:
        """See IQuota."""
        names = sorted(name for name in self._accounts if name > after)
        return [(name, self._accounts[name].quota) for name in names[:limit]]

    @answered
    def set_quota(self, account: str, limits: QuotaLimits | None) -> None:
        """See IQuota."""
        self._account(account).limits = limits

    # IMaildropLock

    @answered
    def acquire(self, account: str, holder: str, lifetime_seconds: float) -> None:
        """See IMaildropLock."""
        now = self.life.now
        self._locks.acquire(account, holder, now, now + lifetime_seconds)

    @answered
    def release(self, account: str, holder: str) -> None:
        """See IMaildropLock."""
        self._locks.release(account, holder)

    # IDirectory

    @property
    def version(self) -> int:
        """See IDirectory."""
        return self._directory.version

    @answered
    def add_user(self, name: str, password_hash: str, mailboxes: Sequence[tuple[str, str | None]] = ()) -> None:
        """See IDirectory. Fails also as IAccount.create where a mailbox cannot be."""
        self._make_account(name, mailboxes)
        self._directory.set_password_hash(name, password_hash)

    @answered
    def remove_user(self, name: str) -> None:
        """See IDirectory."""
        self._directory.check_user(name)
        self._forget_account(self._account(name))

    @answered
    def set_password_hash(self, name: str, password_hash: str) -> None:
        """See IDirectory."""
        self._directory.check_user(name)
        self._directory.set_password_hash(name, password_hash)

    @answered
    def users(self) -> Sequence[str]:
        """See IDirectory."""
        return self._directory.users

    @answered
    def password_hash(self, name: str) -> str | None:
        """See IDirectory."""
        return self._directory.password_hash(name)

    @answered
    def set_alias(self, source: str, targets: Sequence[Address]) -> None:
        """See IDirectory."""
        self._directory.set_alias(source, targets)

    @answered
    def alias(self, source: str) -> Sequence[Address]:
        """See IDirectory."""
        return self._directory.alias(source)

    @answered
    def aliases(self) -> Sequence[tuple[str, Sequence[Address]]]:
        """See IDirectory."""
        return self._directory.aliases

    # IVerifierKeeping, IAppPasswords

    @answered
    def verifiers(self, name: str) -> Sequence[ScramVerifier]:
        """See IVerifierKeeping."""
        return self._directory.verifiers(name)

    @answered
    def keep_verifiers(self, name: str, password_hash: str, verifiers: Sequence[ScramVerifier]) -> bool:
        """See IVerifierKeeping."""
        return self._directory.keep_verifiers(name, password_hash, verifiers)

    @answered
    def names_with_verifiers(self) -> Sequence[str]:
        """See IVerifierKeeping."""
        return self._directory.names_with_verifiers

    @answered
    def add_app_password(self, name: str, app_password: AppPassword) -> None:
        """See IAppPasswords."""
        self._directory.check_user(name)
        self._directory.add_app_password(name, app_password)

    @answered
    def remove_app_password(self, name: str, label: str) -> None:
        """See IAppPasswords."""
        self._directory.remove_app_password(name, label)

    @answered
    def app_passwords(self, name: str) -> Sequence[AppPassword]:
        """See IAppPasswords."""
        return self._directory.app_passwords(name)

    @answered
    def app_password_used(self, name: str, label: str, at: int) -> None:
        """See IAppPasswords."""
        self._directory.app_password_used(name, label, at)

    # IQueueStore

    @answered
    def lease(self, owner: str, now: float, until: float, limit: int, busy: frozenset[str]) -> Sequence[QueueItem]:
        """See IQueueStore."""
        return self._queue.lease(owner, now, until, limit, busy)

    @answered
    def renew(self, owner: str, item_ids: Sequence[int], until: float) -> None:
        """See IQueueStore."""
        self._queue.renew(owner, item_ids, until)

    @answered
    def settle(self, now: float, settled: Sequence[Settled], follow_ups: Sequence[Transaction] = ()) -> None:
        """See IQueueStore."""
        if follow_ups and (lost := self._queue.not_held(settled)):
            raise NotHeld(lost)
        plans = [self._commits.planned(transaction) for transaction in follow_ups]
        self._queue.settle(settled)
        for plan in plans:
            self._commits.carry_out(plan)
        if any(isinstance(told.outcome, DeferredOutcome) and told.next_due <= now for told in settled):
            self._notices.queue_due()

    @answered
    def next_due(self, now: float) -> float | None:
        """See IQueueStore."""
        return self._queue.next_due(now)

    @answered
    def release_leases(self, owner: str) -> None:
        """See IQueueStore."""
        if self._queue.release(owner):
            self._notices.queue_due()

    @answered
    def items(self, limit: int = 1000, after_item_id: int = 0) -> Sequence[QueueItem]:
        """See IQueueStore."""
        return self._queue.items(limit, after_item_id)

    @answered
    def item(self, item_id: int) -> QueueItem:
        """See IQueueStore."""
        return self._queue.item(item_id)

    @answered
    def retry(self, item_ids: Sequence[int] | None, now: float) -> int:
        """See IQueueStore."""
        count = self._queue.retry(item_ids, now)
        if count:
            self._notices.queue_due()
        return count

    @answered
    def drop(self, item_ids: Sequence[int]) -> int:
        """See IQueueStore."""
        return self._queue.drop(item_ids)

    @answered
    def open_queued(self, body_id: int) -> IOpenBody:
        """See IQueueStore."""
        return OpenBody(b"", self._queue.body(body_id))

    def watch_queue(self, listener: Callable[[], None]) -> None:
        """See IQueueStore."""
        self._notices.watch_queue(listener)

    # Accounts

    def _account(self, name: str) -> AccountContents:
        try:
            return self._accounts[name]
        except KeyError:
            raise NoSuchAccount("the account does not exist") from None

    def _make_account(self, name: str, mailboxes: Sequence[tuple[str, str | None]]) -> None:
        if name in self._accounts:
            raise AccountExists("the account exists already")
        self._accounts[name] = AccountContents(
            name, mailboxes, self._next_uid_validity, self._announce, self._rules, self._history_seconds
        )

    def _forget_account(self, account: AccountContents) -> None:
        del self._accounts[account.name]
        self._directory.forget_user(account.name)
        self._locks.forget(account.name)
        account.remove()
        for other in self._accounts.values():
            other.annotations.user_gone(account.name)
            other.access.user_gone(account.name)

    def _next_uid_validity(self, restored: int | None) -> int:
        given = next_uid_validity(self.life.now, self._last_uid_validity) if restored is None else restored
        self._last_uid_validity = max(self._last_uid_validity, given)
        return given

    def _announce(self, account: AccountContents, kinds: ChangeKind, mailbox_ids: frozenset[int]) -> None:
        self._notices.changed(account.name, account.modseq, kinds, mailbox_ids)
