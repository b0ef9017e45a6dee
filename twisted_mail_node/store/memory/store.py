"""MemoryStore: the doors of the whole backend, and the one commit by which messages become real."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import NamedTuple

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
from ...mail.annotation import SPECIAL_USE, THE_ACCOUNT, Annotation
from ...mail.app_password import AppPassword
from ...mail.changes import AnnotationChanges, ChangeKind, CopyOutcome
from ...mail.errors import AccountExists, NoSuchAccount, NoSuchMailbox, NotHeld, PermanentFailure, Refused
from ...mail.mailbox_name import INBOX, canonical, parents
from ...mail.queue_item import Deferred as DeferredOutcome
from ...mail.queue_item import QueueItem, Settled
from ...mail.quota import NO_RULES, Quota, QuotaLimits, QuotaRules
from ...mail.rights import ANYONE, NEGATIVE, NO_RIGHTS, Right, RightsChange, SharedMailbox, effective
from ...mail.scram import ScramVerifier
from ...mail.status import EnhancedStatus
from ...mail.transaction import Committed, Outgoing, Placed, Placement, Transaction
from ...mail.uid_set import UIDSet
from ..history import HISTORY_SECONDS
from ..identity import new_guid, next_uid_validity
from ..maildrop_locks import MaildropLocks
from .account import AccountContents
from .answers import Life, answered
from .content import OpenBody, StoredBody
from .directory import DirectoryContents
from .doors import MemoryAccount
from .mailbox import MailboxContents, NewEntry
from .notices import Notices
from .queue import QueueContents
from .staging import BodySource

_NO_ACCOUNT = (EnhancedStatus(5, 1, 1), "no such account")
_NO_MAILBOX = (EnhancedStatus(5, 1, 1), "no such mailbox")


class _Plan(NamedTuple):
    """A transaction that can be carried out: where each placement goes, and what each queue item is made of."""

    transaction: Transaction
    placements: list[tuple[Placement, AccountContents, MailboxContents, StoredBody]]
    outgoing: list[tuple[Outgoing, StoredBody]]


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
        self._committed: dict[str, Committed] = {}
        self._queue = QueueContents()
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
        return self._carry_out(self._planned(transaction))

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
        found = self._seen(account, mailbox_id, user)
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
            seen = self._seen(account, mailbox_id, user) if mailbox_id in known else {}
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

    def _seen(self, account: str, mailbox_id: int, user: str) -> dict[str, bytes]:
        contents = self._account(account)
        mailbox = contents.by_id(mailbox_id)
        found = contents.annotations.seen(mailbox_id, user)
        if mailbox is not None and mailbox.special_use is not None and user == account:
            found[SPECIAL_USE] = mailbox.special_use.encode("ascii")
        return found

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
        contents = self._account(account)
        contents.by_id(mailbox_id)
        who = identifier.removeprefix(NEGATIVE)
        if who == account:
            raise PermanentFailure("the owner may always do everything")
        if who != ANYONE and who not in self._accounts:
            raise PermanentFailure("there is no such user")
        return contents.change_rights(mailbox_id, identifier, change, rights)

    @answered
    def shared_with(self, user: str) -> Sequence[SharedMailbox]:
        """See IACL."""
        return [
            SharedMailbox(name, mailbox.info, rights)
            for name in sorted(self._accounts.keys() - {user})
            for mailbox in self._accounts[name].mailboxes
            if (rights := effective(self._accounts[name].access.of(mailbox.mailbox_id), user))
        ]

    @answered
    def find_shared(self, account: str, name: str, user: str) -> tuple[int, Right]:
        """See IACL."""
        contents = self._accounts.get(account)
        mailbox = contents.find(name) if contents else None
        rights = NO_RIGHTS
        if contents is not None and mailbox is not None:
            rights = effective(contents.access.of(mailbox.mailbox_id), user)
        if mailbox is None or not rights:
            raise NoSuchMailbox("the mailbox does not exist")
        return mailbox.mailbox_id, rights

    @answered
    def rights_in(self, account: str, mailbox_id: int, user: str) -> Right:
        """See IACL."""
        contents = self._accounts.get(account)
        return effective(contents.access.of(mailbox_id), user) if contents else NO_RIGHTS

    @answered
    def rights_above(self, account: str, name: str, user: str) -> Right:
        """See IACL."""
        contents = self._accounts.get(account)
        above = [contents.find(parent) for parent in parents(canonical(name))] if contents else []
        there = [mailbox for mailbox in above if mailbox is not None]
        if contents is None or not there:
            return NO_RIGHTS
        return effective(contents.access.of(there[-1].mailbox_id), user)

    @answered
    def copy_between(
        self, source: tuple[str, int], uids: UIDSet, target: tuple[str, int], rights: Right, move: bool
    ) -> CopyOutcome:
        """See IACL."""
        (giver, from_mailbox), (receiver, to_mailbox) = self._place(*source), self._place(*target)
        return giver.copy_to(from_mailbox, uids, receiver, to_mailbox, rights, self.life.now, move=move)

    def _place(self, account: str, mailbox_id: int) -> tuple[AccountContents, MailboxContents]:
        contents = self._accounts.get(account)
        mailbox = contents.by_id(mailbox_id) if contents else None
        if contents is None or mailbox is None:
            raise NoSuchMailbox("the mailbox does not exist")
        return contents, mailbox

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
        plans = [self._planned(transaction) for transaction in follow_ups]
        self._queue.settle(settled)
        for plan in plans:
            self._carry_out(plan)
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

    # The commit: everything that can fail is in the plan, and carrying a plan out cannot.

    def _planned(self, transaction: Transaction) -> _Plan:
        """Raises: Refused; TemporaryFailure: a staged body is gone."""
        if transaction.id in self._committed:
            return _Plan(transaction, [], [])
        targets: list[tuple[AccountContents, MailboxContents]] = []
        refusals: dict[int, tuple[EnhancedStatus, str]] = {}
        for position, placement in enumerate(transaction.placements):
            account = self._accounts.get(placement.account)
            mailbox = _mailbox_for(account, placement) if account is not None else None
            if account is None or mailbox is None:
                refusals[position] = _NO_ACCOUNT if account is None else _NO_MAILBOX
            else:
                targets.append((account, mailbox))
        if refusals:
            raise Refused(refusals)
        if refusals := self._without_room(transaction, [account for account, _ in targets]):
            raise Refused(refusals)
        bodies = self._bodies.bodies(transaction.bodies)
        placements = [
            (placement, *target, bodies[placement.body])
            for placement, target in zip(transaction.placements, targets, strict=True)
        ]
        return _Plan(transaction, placements, [(wish, bodies[wish.body]) for wish in transaction.queue])

    def _without_room(
        self, transaction: Transaction, accounts: Sequence[AccountContents]
    ) -> dict[int, tuple[EnhancedStatus, str]]:
        """Placements that their accounts may not hold, with those before them; by their positions."""
        taken: dict[str, list[int]] = {}
        refusals = {}
        for position, (placement, account) in enumerate(zip(transaction.placements, accounts, strict=True)):
            sizes = taken.setdefault(account.name, [])
            sizes.append(transaction.bodies[placement.body].size + len(placement.prefix))
            if not account.quota.has_room(sum(sizes), len(sizes)):
                sizes.pop()
                refusals[position] = self._rules.refusal
        return refusals

    def _carry_out(self, plan: _Plan) -> Committed:
        transaction = plan.transaction
        done = self._committed.get(transaction.id)
        if done is not None:
            return done
        placed: list[Placed] = []
        email_ids: dict[tuple[str, int, bytes], str] = {}  # what reads alike in an account is one email
        for placement, account, mailbox, body in plan.placements:
            email = (placement.account, placement.body, placement.prefix)
            email_id = email_ids.get(email) or email_ids.setdefault(email, new_guid())
            new = NewEntry(body, placement.prefix, placement.flags, placement.internal_date, email_id)
            (uid,) = account.add(mailbox, (new,), self.life.now)
            placed.append(Placed(mailbox.mailbox_id, mailbox.uid_validity, uid))
        item_ids = self._queue.add(transaction.id, transaction.now, plan.outgoing)
        if item_ids:
            self._notices.queue_due()
        self._bodies.used(transaction.bodies)
        done = self._committed[transaction.id] = Committed(tuple(placed), tuple(item_ids))
        return done

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


def _mailbox_for(account: AccountContents, placement: Placement) -> MailboxContents | None:
    """Where a placement goes: its mailbox, or INBOX where that does not exist and the placement permits."""
    mailbox = account.find(placement.mailbox)
    if mailbox is None and placement.or_inbox:
        mailbox = account.find(INBOX)
    return mailbox
