"""
One mailbox's messages: entries, counters, and the part of the change log that is its own.

Everything here happens at once and takes the modseq it is told; who hands modseqs out is `account`. Expunged
entries stay for READABLE_SECONDS for whoever has not been told of it, and their numbers as `_forget_history` has it.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from itertools import takewhile
from operator import attrgetter
from typing import NamedTuple

from ...mail.changes import MailboxChanges, MailboxInfo, MailboxStatus, StoreOutcome
from ...mail.columns import KEPT, Columns, FetchItem, InternalDate
from ...mail.errors import NoSuchMessage, UIDTaken
from ...mail.flags import FlagChange, Flags
from ...mail.uid_set import EMPTY, UIDSet
from ..identity import new_guid
from .content import Entry, StoredBody

# How long an expunged message stays readable at least; the door promises an hour.
READABLE_SECONDS = 3600.0

_UID = attrgetter("uid")


class NewEntry(NamedTuple):
    """A message about to be added; without a `guid` it gets a new one, without a `uid` the next one."""

    body: StoredBody
    prefix: bytes
    flags: Flags
    internal_date: InternalDate
    email_id: str
    guid: str | None = None
    uid: int | None = None


class _Expunged(NamedTuple):
    """A line of the expunge history: which message went, by which modseq, when, and by which it had come."""

    modseq: int
    created: int
    uid: int
    when: float


class MailboxContents:
    """
    What one mailbox holds. `gone` is true once it was deleted.

    Of expunges longer ago than `history_seconds` it only knows up to which modseq they were, and between which UIDs.
    """

    def __init__(
        self,
        mailbox_id: int,
        name: str,
        uid_validity: int,
        special_use: str | None,
        modseq: int,
        history_seconds: float,
    ) -> None:
        self.mailbox_id = mailbox_id
        self.name = name
        self.uid_validity = uid_validity
        self.special_use = special_use
        self.gone = False
        self._highest_modseq = modseq
        self._uid_next = 1
        self._recent_after = 0
        self._unseen = self._deleted = self._size = 0
        self._entries: dict[int, Entry] = {}
        self._order: list[int] = []  # the keys of _entries, ascending, for looking up runs
        self._latest: dict[int, Entry] = {}  # the same entries, the one changed last at the end
        self._readable: dict[int, tuple[Entry, float]] = {}  # expunged: the entry, and when it was
        self._history: list[_Expunged] = []  # ascending by modseq
        self._history_seconds = history_seconds
        self._forgotten_until, self._forgotten = 0, EMPTY

    @property
    def info(self) -> MailboxInfo:
        """How the mailbox stands in a list."""
        return MailboxInfo(self.mailbox_id, self.name, self.uid_validity, self.special_use)

    @property
    def status(self) -> MailboxStatus:
        """The counters."""
        return MailboxStatus(
            self.mailbox_id,
            self.uid_validity,
            self._uid_next,
            len(self._order),
            self._unseen,
            self._deleted,
            self._size,
            self._highest_modseq,
            self._recent_after,
        )

    def claim_recent(self) -> MailboxStatus:
        """The counters as they were; from now on nothing that is here counts as recent."""
        before = self.status
        self._recent_after = self._uid_next - 1
        return before

    @property
    def uids(self) -> UIDSet:
        """The UIDs of all messages."""
        return UIDSet.of(self._order)

    @property
    def keywords(self) -> list[str]:
        """Keywords in use, one spelling of each, sorted without case."""
        distinct = {entry.flags for entry in self._entries.values()}
        by_name = {keyword.lower(): keyword for flags in distinct for keyword in flags.keywords}
        return [by_name[name] for name in sorted(by_name)]

    @property
    def first_unseen(self) -> int | None:
        """The smallest UID without \\Seen."""
        return next((uid for uid, entry in self._entries.items() if not entry.flags.seen), None)

    def select(self, uids: UIDSet) -> list[Entry]:
        """The existing entries of the set, ascending; the set may be far larger than the mailbox."""
        order, entries = self._order, self._entries
        found: list[Entry] = []
        for first, last in uids.runs:
            found += [entries[uid] for uid in order[bisect_left(order, first) : bisect_right(order, last)]]
        return found

    def above(self, uid: int, limit: int) -> list[Entry]:
        """The first existing entries above a UID."""
        begin = bisect_right(self._order, uid)
        return [self._entries[uid] for uid in self._order[begin : begin + limit]]

    def entry(self, uid: int, now: float) -> Entry:
        """An existing or still readable entry. Raises: NoSuchMessage."""
        self.forget_unreadable(now)
        if uid in self._entries:
            return self._entries[uid]
        if uid in self._readable:
            return self._readable[uid][0]
        raise NoSuchMessage("the message no longer exists")

    def fetch(self, uids: UIDSet, items: FetchItem, now: float) -> Columns:
        """The columns asked for, of existing and still readable messages."""
        self.forget_unreadable(now)
        found = self.select(uids)
        expunged = [entry for uid, (entry, _) in self._readable.items() if uid in uids]
        if expunged:
            found = sorted([*found, *expunged], key=_UID)
        return _columns(found, items)

    def check_uids(self, new: Iterable[NewEntry]) -> None:
        """Raises: UIDTaken: one that a message is to have is not above all before it."""
        uid_next = self._uid_next
        for entry in new:
            uid = uid_next if entry.uid is None else entry.uid
            if uid < uid_next:
                raise UIDTaken(f"the mailbox has gone past UID {uid}")
            uid_next = uid + 1

    def add(self, new: Iterable[NewEntry], modseq: int, now: float) -> list[int]:
        """Add messages in this order; their UIDs have been checked. Returns: the UIDs."""
        uids: list[int] = []
        for body, prefix, flags, internal_date, email_id, guid, wanted in new:
            uid = self._uid_next if wanted is None else wanted
            entry = Entry(uid, body, prefix, flags, internal_date, email_id, guid or new_guid(), modseq, int(now))
            self._entries[uid] = self._latest[uid] = entry
            self._order.append(uid)
            uids.append(uid)
            self._uid_next = uid + 1
            self._count(entry, 1)
        self._highest_modseq = modseq
        return uids

    @property
    def is_fresh(self) -> bool:
        """Whether it never held a message."""
        return self._uid_next == 1

    def annotated(self, modseq: int) -> None:
        """One of its annotations was set, by this modseq."""
        self._highest_modseq = modseq

    def renumber(self, uid_validity: int, uid_next: int, modseq: int) -> None:
        """Another UIDVALIDITY or a higher UIDNEXT, by this modseq."""
        self.uid_validity = uid_validity
        self._uid_next = uid_next
        self._highest_modseq = modseq

    def store_flags(self, uids: UIDSet, change: FlagChange, by: Flags, since: int | None, modseq: int) -> StoreOutcome:
        """Change flags; `modseq` is used by what really changes, and is not taken where nothing does."""
        found = self.select(uids)
        changed: list[Entry] = []
        modified: list[int] = []
        # First all that may fail, so that nothing is done where it does.
        after = [entry.flags.changed(change, by) for entry in found]
        for entry, flags in zip(found, after, strict=True):
            if since is not None and entry.modseq > since:
                modified.append(entry.uid)
                continue
            if flags != entry.flags:
                self._count(entry, -1)
                entry.flags, entry.modseq = flags, modseq
                self._count(entry, 1)
                self._latest[entry.uid] = self._latest.pop(entry.uid)
                changed.append(entry)
        if changed:
            self._highest_modseq = modseq
        known = uids & UIDSet.span(1, self._uid_next - 1)
        gone = known - UIDSet.of([entry.uid for entry in found]) if len(found) < len(known) else EMPTY
        return StoreOutcome(_columns(changed, FetchItem.FLAGS | FetchItem.MODSEQ), UIDSet.of(modified), gone)

    def deletable(self, uids: UIDSet | None, only_deleted: bool) -> list[Entry]:
        """The entries that an expunge of this set means."""
        found = list(self._entries.values()) if uids is None else self.select(uids)
        return [entry for entry in found if entry.flags.deleted] if only_deleted else found

    def expunge(self, entries: Sequence[Entry], modseq: int, now: float) -> UIDSet:
        """Remove these entries, and note it."""
        self.forget_unreadable(now)
        self._forget_history(now - self._history_seconds)
        for entry in entries:
            del self._entries[entry.uid], self._latest[entry.uid]
            self._count(entry, -1)
            self._readable[entry.uid] = (entry, now)
            self._history.append(_Expunged(modseq, entry.created, entry.uid, now))
        if entries:
            self._order = list(self._entries)
            self._highest_modseq = modseq
        return UIDSet.of([entry.uid for entry in entries])

    def changes(self, since: int) -> MailboxChanges:
        """What happened after that modseq."""
        touched = sorted(takewhile(lambda entry: entry.modseq > since, reversed(self._latest.values())), key=_UID)
        appended = [entry for entry in touched if entry.created > since]
        flagged = [entry for entry in touched if entry.created <= since]
        begin = bisect_right(self._history, since, key=lambda line: line.modseq)
        vanished = UIDSet.of([line.uid for line in self._history[begin:] if line.created <= since])
        if since < self._forgotten_until:
            vanished |= self._forgotten - self.uids
        items = FetchItem.FLAGS | FetchItem.MODSEQ
        return MailboxChanges(
            self._highest_modseq, self._uid_next, _columns(appended, items), _columns(flagged, items), vanished
        )

    def _forget_history(self, before: float) -> None:
        """Remember as one run what was expunged before that time, with all between it."""
        end = bisect_left(self._history, before, key=lambda line: line.when)
        if end:
            uids = [line.uid for line in self._history[:end]] + list(self._forgotten.runs[0] if self._forgotten else ())
            self._forgotten = UIDSet.span(min(uids), max(uids))
            self._forgotten_until = self._history[end - 1].modseq
            del self._history[:end]

    def forget_unreadable(self, now: float) -> None:
        """Let go of what was expunged longer ago than the door promises; costs only for what is let go."""
        while self._readable:
            uid, (_, when) = next(iter(self._readable.items()))
            if now - when <= READABLE_SECONDS:
                return
            del self._readable[uid]

    def _count(self, entry: Entry, sign: int) -> None:
        """Count an entry in (1) or out (-1)."""
        self._size += sign * entry.size
        if not entry.flags.seen:
            self._unseen += sign
        if entry.flags.deleted:
            self._deleted += sign


def _columns(entries: list[Entry], items: FetchItem) -> Columns:
    columns = Columns([entry.uid for entry in entries])
    if FetchItem.FLAGS in items:
        columns.flags = [entry.flags for entry in entries]
    if FetchItem.INTERNAL_DATE in items:
        columns.internal_dates = [entry.internal_date for entry in entries]
    if FetchItem.SIZE in items:
        columns.sizes = [entry.size for entry in entries]
    if FetchItem.MODSEQ in items:
        columns.modseqs = [entry.modseq for entry in entries]
    if FetchItem.HEADER in items:
        columns.headers = [entry.header for entry in entries]
    for item, name in KEPT.items():
        if item in items:
            setattr(columns, name, [entry.body.kept.get(item) for entry in entries])
    if FetchItem.BODY in items:
        columns.bodies = [entry.inline_content for entry in entries]
    if FetchItem.EMAIL_ID in items:
        columns.email_ids = [entry.email_id for entry in entries]
    if FetchItem.GUID in items:
        columns.guids = [entry.guid for entry in entries]
    if FetchItem.SAVE_DATE in items:
        columns.save_dates = [entry.saved for entry in entries]
    return columns
