"""
One account: the tree of its mailboxes, its subscriptions, and the counter from which every change takes its number.

Everything happens at once. Neighbours: `mailbox` for the messages, `doors` for what embedders see.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from ...mail.annotation import SPECIAL_USE, THE_ACCOUNT
from ...mail.changes import ChangeKind, CopyOutcome, StoreOutcome
from ...mail.errors import NoSuchMailbox, PermanentFailure
from ...mail.flags import FlagChange, Flags
from ...mail.mailbox_name import INBOX, SEPARATOR, canonical, checked, listing_key, plan_create, plan_rename
from ...mail.quota import NO_RULES, OverQuota, Quota, QuotaLimits, QuotaRules
from ...mail.restoring import RestoredMailbox
from ...mail.rights import Right, RightsChange, allowed
from ...mail.special_use import checked_use
from ...mail.uid_set import EMPTY, UIDSet
from ..history import HISTORY_SECONDS
from .acl import AccessContents
from .annotations import AnnotationContents
from .content import Entry
from .mailbox import MailboxContents, NewEntry

# Told of every change: its kinds, and the mailboxes in which messages came, changed or went.
Announce = Callable[["AccountContents", ChangeKind, frozenset[int]], None]


class AccountContents:
    """
    What one account holds. `gone` is true once it was removed.

    Args:
        name: an address in lower case.
        mailboxes: (name, special use) of those to make beside INBOX; all are subscribed.
        uid_validity: gives the UIDVALIDITY of the next new mailbox; told one that was restored, it notes that.
        announce: told of every change after it was made.
        rules: how much the account may hold, unless it has `limits` of its own.
        history_seconds: how long expunges are remembered one by one.
    Raises: BadMailboxName, MailboxExists, PermanentFailure: one of the mailboxes cannot be.
    """

    def __init__(
        self,
        name: str,
        mailboxes: Sequence[tuple[str, str | None]],
        uid_validity: Callable[[int | None], int],
        announce: Announce,
        rules: QuotaRules = NO_RULES,
        history_seconds: float = HISTORY_SECONDS,
    ) -> None:
        self.name = name
        self.gone = False
        self.modseq = 0
        self._next_mailbox_id = 1
        self._uid_validity = uid_validity
        self._announce = announce
        self.rules = rules
        self._history_seconds = history_seconds
        self._by_name: dict[str, MailboxContents] = {}
        self._subscribed: set[str] = set()
        self.annotations = AnnotationContents()
        self.access = AccessContents()
        self.limits: QuotaLimits | None = None
        self._make([INBOX], None)
        self._subscribed.add(INBOX)
        for mailbox_name, special_use in mailboxes:
            made = self._make(plan_create(self._by_name, mailbox_name), checked_use(special_use))
            self._subscribed.add(made.name)

    # The tree

    @property
    def mailboxes(self) -> list[MailboxContents]:
        """All mailboxes in the order of a list."""
        return [self._by_name[name] for name in sorted(self._by_name, key=listing_key)]

    def find(self, name: str) -> MailboxContents | None:
        """The mailbox of that name, or None."""
        return self._by_name.get(canonical(name))

    def mailbox(self, name: str) -> MailboxContents:
        """The mailbox of that name. Raises: NoSuchMailbox."""
        found = self.find(name)
        if found is None:
            raise NoSuchMailbox("the mailbox does not exist")
        return found

    def create(self, name: str, special_use: str | None) -> MailboxContents:
        """Make a mailbox and its missing parents. Raises: MailboxExists, BadMailboxName, PermanentFailure."""
        special_use = checked_use(special_use)
        made = self._make(plan_create(self._by_name, name), special_use)
        self._announce(self, ChangeKind.MAILBOXES, frozenset())
        return made

    def rename(self, name: str, new_name: str, now: float) -> None:
        """Rename, or empty INBOX into a new mailbox. Raises: NoSuchMailbox, MailboxExists, BadMailboxName."""
        plan = plan_rename(self._by_name, name, new_name)
        if plan.created:
            made = self._make(plan.created, None)
        else:
            self._take_modseq()
        for old, new in plan.moved.items():
            mailbox = self._by_name.pop(old)
            mailbox.name = new
            self._by_name[new] = mailbox
        self._announce(self, ChangeKind.MAILBOXES, frozenset())
        if not plan.moved:
            inbox = self._by_name[INBOX]
            entries = inbox.deletable(None, only_deleted=False)
            self._move(inbox, entries, made, _copies(entries, keep_guids=True), now)
            self.annotations.copied(inbox.mailbox_id, made.mailbox_id, self.modseq)

    def delete(self, name: str) -> None:
        """Delete a mailbox and its messages. Raises: NoSuchMailbox; PermanentFailure: INBOX."""
        mailbox = self.mailbox(name)
        if mailbox.name == INBOX:
            raise PermanentFailure("INBOX cannot be deleted")
        self._take_modseq()
        mailbox.gone = True
        del self._by_name[mailbox.name]
        self.annotations.mailbox_gone(mailbox.mailbox_id)
        self.access.mailbox_gone(mailbox.mailbox_id)
        self._announce(self, ChangeKind.MAILBOXES, frozenset())

    def remove(self) -> None:
        """The account itself goes, with all it holds."""
        self._take_modseq()
        self.gone = True
        for mailbox in self._by_name.values():
            mailbox.gone = True
        self._by_name.clear()
        self._announce(self, ChangeKind.REMOVED, frozenset())

    def restore(self, wanted: RestoredMailbox) -> MailboxContents:
        """Make a mailbox as it was elsewhere, or make an existing one ready. Raises: as `create`."""
        special_use = checked_use(wanted.special_use)
        mailbox = self.find(wanted.name)
        if mailbox is None:
            names = plan_create(self._by_name, wanted.name)
            self.modseq = max(self.modseq, wanted.highest_modseq)
            made = self._make(names, special_use, wanted.uid_validity)
            made.renumber(made.uid_validity, wanted.uid_next if wanted.uid_validity else 1, self.modseq)
            self._announce(self, ChangeKind.MAILBOXES, frozenset())
            return made
        uid_validity = mailbox.uid_validity
        if wanted.uid_validity is not None and mailbox.is_fresh:
            uid_validity = self._uid_validity(wanted.uid_validity)
        uid_next = mailbox.status.uid_next
        if uid_validity == wanted.uid_validity:
            uid_next = max(uid_next, wanted.uid_next)
        is_new = (uid_validity, uid_next) != (mailbox.uid_validity, mailbox.status.uid_next)
        if is_new or self.modseq < wanted.highest_modseq:
            self.modseq = max(self.modseq, wanted.highest_modseq)
            mailbox.renumber(uid_validity, uid_next, self._take_modseq())
            self._announce(self, ChangeKind.MAILBOXES, frozenset())
        return mailbox

    def renew(self, name: str) -> MailboxContents:
        """Give a mailbox another UIDVALIDITY. Raises: NoSuchMailbox."""
        mailbox = self.mailbox(name)
        mailbox.renumber(self._uid_validity(None), mailbox.status.uid_next, self._take_modseq())
        self._announce(self, ChangeKind.MAILBOXES, frozenset())
        return mailbox

    # Subscriptions

    @property
    def subscriptions(self) -> list[str]:
        """Subscribed names, sorted."""
        return sorted(self._subscribed)

    def subscribe(self, name: str, subscribed: bool) -> None:
        """Add or take away. Raises: BadMailboxName: a name to add that no mailbox could have."""
        name = checked(name) if subscribed else canonical(name)
        if subscribed == (name in self._subscribed):
            return
        self._take_modseq()
        if subscribed:
            self._subscribed.add(name)
        else:
            self._subscribed.discard(name)
        self._announce(self, ChangeKind.SUBSCRIPTIONS, frozenset())

    # Annotations

    def by_id(self, mailbox_id: int) -> MailboxContents | None:
        """The mailbox of that id, or None for the account itself. Raises: NoSuchMailbox."""
        if mailbox_id == THE_ACCOUNT:
            return None
        for mailbox in self._by_name.values():
            if mailbox.mailbox_id == mailbox_id:
                return mailbox
        raise NoSuchMailbox("the mailbox does not exist")

    def seen(self, mailbox_id: int, user: str) -> dict[str, bytes]:
        """Annotations by name, of what the user sees. Raises: NoSuchMailbox."""
        mailbox = self.by_id(mailbox_id)
        found = self.annotations.seen(mailbox_id, user)
        if mailbox is not None and mailbox.special_use is not None and user == self.name:
            found[SPECIAL_USE] = mailbox.special_use.encode("ascii")
        return found

    def annotate(self, mailbox_id: int, user: str, values: Mapping[str, bytes | None], most: int) -> int:
        """Set annotations. Returns: the modseq. Raises: as IMetadata.annotate."""
        mailbox = self.by_id(mailbox_id)
        uses: dict[int, str | None] = {}
        if mailbox is not None and SPECIAL_USE in values:
            uses = self._uses(mailbox, user, values[SPECIAL_USE])
            values = {name: value for name, value in values.items() if name != SPECIAL_USE}
        self.annotations.check(mailbox_id, user, values, most)
        modseq = self._take_modseq()
        if mailbox is not None:
            mailbox.annotated(modseq)
        self.annotations.set(mailbox_id, user, values, modseq)
        for changed in self._by_name.values():
            if changed.mailbox_id in uses:
                changed.special_use = uses[changed.mailbox_id]
                self.annotations.set(changed.mailbox_id, user, {SPECIAL_USE: None}, modseq)
        self._announce(self, ChangeKind.METADATA, frozenset())
        return modseq

    def _uses(self, mailbox: MailboxContents, user: str, value: bytes | None) -> dict[int, str | None]:
        """The special uses of those mailboxes whose one is set by this."""
        if user != self.name:
            raise PermanentFailure("the special use of another user's mailbox cannot be set")
        use = checked_use(value.decode("ascii", "replace") if value else None)
        lost = (each for each in self._by_name.values() if use is not None and each.special_use == use)
        return {each.mailbox_id: None for each in lost} | {mailbox.mailbox_id: use}

    def change_rights(self, mailbox_id: int, identifier: str, change: RightsChange, rights: Right) -> int:
        """Change what others may do. Returns: the modseq."""
        self.access.change(mailbox_id, identifier, change, rights)
        modseq = self._take_modseq()
        self._announce(self, ChangeKind.RIGHTS, frozenset())
        return modseq

    # Quota

    @property
    def quota(self) -> Quota:
        """What the account holds, and what it may."""
        held = [mailbox.status for mailbox in self._by_name.values()]
        return Quota(
            sum(status.size for status in held),
            sum(status.messages for status in held),
            self.rules.limits if self.limits is None else self.limits,
            self.limits is not None,
        )

    def check_room(self, sizes: Sequence[int]) -> None:
        """Raises: OverQuota: messages of these sizes are more than the account may hold."""
        if sizes and not self.quota.has_room(sum(sizes), len(sizes)):
            raise OverQuota

    # Messages: every change takes one modseq, however many messages it touches.

    def add(self, mailbox: MailboxContents, new: Sequence[NewEntry], now: float) -> list[int]:
        """Add messages to a mailbox. Returns: their UIDs. Raises: UIDTaken."""
        if not new:
            return []
        mailbox.check_uids(new)
        uids = mailbox.add(new, self._take_modseq(), now)
        self._announce(self, ChangeKind.MESSAGES, frozenset((mailbox.mailbox_id,)))
        return uids

    def store_flags(
        self, mailbox: MailboxContents, uids: UIDSet, change: FlagChange, by: Flags, since: int | None
    ) -> StoreOutcome:
        """Change flags; a modseq is taken only where something really changes."""
        outcome = mailbox.store_flags(uids, change, by, since, self.modseq + 1)
        if outcome.changed:
            self._take_modseq()
            self._announce(self, ChangeKind.MESSAGES, frozenset((mailbox.mailbox_id,)))
        return outcome

    def expunge(self, mailbox: MailboxContents, uids: UIDSet | None, only_deleted: bool, now: float) -> UIDSet:
        """Remove messages. Returns: those removed."""
        entries = mailbox.deletable(uids, only_deleted)
        if not entries:
            return EMPTY
        removed = mailbox.expunge(entries, self._take_modseq(), now)
        self._announce(self, ChangeKind.MESSAGES, frozenset((mailbox.mailbox_id,)))
        return removed

    def copy(self, source: MailboxContents, uids: UIDSet, target_name: str, now: float) -> CopyOutcome:
        """Copy messages. Raises: NoSuchMailbox: the target; OverQuota."""
        target = self.mailbox(target_name)
        entries = source.select(uids)
        self.check_room([entry.size for entry in entries])
        return _outcome(target, entries, self.add(target, _copies(entries), now))

    def move(self, source: MailboxContents, uids: UIDSet, target_name: str, now: float) -> CopyOutcome:
        """Copy messages and expunge the originals, in one change. Raises: NoSuchMailbox: the target."""
        target = self.mailbox(target_name)
        entries = source.select(uids)
        return self._move(source, entries, target, _copies(entries, keep_guids=True), now)

    def _move(
        self,
        source: MailboxContents,
        entries: list[Entry],
        target: MailboxContents,
        copies: list[NewEntry],
        now: float,
    ) -> CopyOutcome:
        if not entries:
            return _outcome(target, (), ())
        modseq = self._take_modseq()
        target_uids = target.add(copies, modseq, now)
        source.expunge(entries, modseq, now)
        self._announce(self, ChangeKind.MESSAGES, frozenset((source.mailbox_id, target.mailbox_id)))
        return _outcome(target, entries, target_uids)

    def copy_to(
        self,
        source: MailboxContents,
        uids: UIDSet,
        receiver: AccountContents,
        target: MailboxContents,
        rights: Right,
        now: float,
        *,
        move: bool,
    ) -> CopyOutcome:
        """Copy messages to a mailbox of any account, with such flags as the rights allow. Raises: OverQuota."""
        entries = source.select(uids)
        copies = [new._replace(flags=allowed(new.flags, rights)) for new in _copies(entries, keep_guids=move)]
        if move and receiver is self:
            return self._move(source, entries, target, copies, now)
        receiver.check_room([entry.size for entry in entries])
        outcome = _outcome(target, entries, receiver.add(target, copies, now))
        if move and entries:
            source.expunge(entries, self._take_modseq(), now)
            self._announce(self, ChangeKind.MESSAGES, frozenset((source.mailbox_id,)))
        return outcome

    def _take_modseq(self) -> int:
        self.modseq += 1
        return self.modseq

    def _make(self, names: Sequence[str], special_use: str | None, uid_validity: int | None = None) -> MailboxContents:
        """Make mailboxes by one change; the last has the special use and the UIDVALIDITY, and is returned."""
        modseq = self._take_modseq()
        for name in names:
            use, restored = (special_use, uid_validity) if name == names[-1] else (None, None)
            made = MailboxContents(
                self._next_mailbox_id, name, self._uid_validity(restored), use, modseq, self._history_seconds
            )
            self._by_name[name] = made
            if parent := self._by_name.get(name.rpartition(SEPARATOR)[0]):
                self.access.inherited(parent.mailbox_id, made.mailbox_id)
            self._next_mailbox_id += 1
        return self._by_name[names[-1]]


def _copies(entries: Sequence[Entry], *, keep_guids: bool = False) -> list[NewEntry]:
    return [
        NewEntry(
            entry.body,
            entry.prefix,
            entry.flags,
            entry.internal_date,
            entry.email_id,
            entry.guid if keep_guids else None,
        )
        for entry in entries
    ]


def _outcome(target: MailboxContents, entries: Sequence[Entry], target_uids: Sequence[int]) -> CopyOutcome:
    return CopyOutcome(target.uid_validity, [entry.uid for entry in entries], target_uids)
