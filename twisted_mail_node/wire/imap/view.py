"""
A session's view of its selected mailbox: which messages the client knows of, under which numbers.

The view changes only by what is rendered here to be told: EXISTS, RECENT, EXPUNGE and FETCH. Whoever counts what
these say arrives at the same numbers. An expunged message stays in the view until its EXPUNGE may be told.

Sources: RFC 3501 §2.3.1.2 (sequence numbers), §2.3.2 (\\Recent), §5.5, §7.3, §7.4.1 (when EXPUNGE may be sent).
Neighbours: `sequence` resolves what the client writes against a view; `fetch` renders what it asks for.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from operator import itemgetter

from ...mail.changes import MailboxChanges
from ...mail.columns import Columns
from ...mail.uid_set import EMPTY, UIDSet

_FIRST = itemgetter(0)


class View:
    """
    The messages of one selected mailbox as one session knows them.

    Args:
        uids: the messages at SELECT, whose number EXISTS told.
        modseq: up to where in the mailbox's changes `uids` is known to reach; it may know of later ones.
        recent: those of them that are recent in this session.
        read_only: selected by EXAMINE.
    """

    __slots__ = ("_before", "_claimed", "_expunged", "_own", "_recent_told", "_uids", "modseq", "read_only", "recent")

    def __init__(self, uids: UIDSet, modseq: int = 0, recent: UIDSet = EMPTY, read_only: bool = False) -> None:
        self.modseq = modseq
        self.read_only = read_only
        self.recent = recent & uids
        self._recent_told = len(self.recent)
        self._claimed = EMPTY  # UIDs that are recent here if and when they are told
        self._expunged = EMPTY
        self._own: dict[int, UIDSet] = {}  # modseq -> messages whose flags this session changed, told or silent
        self._set(uids)

    def _set(self, uids: UIDSet) -> None:
        self._uids = uids
        before, total = [], 0
        for first, last in uids.runs:
            before.append(total)
            total += last - first + 1
        self._before = before  # messages before each run

    # -- numbers ----------------------------------------------------------------------------------------------

    @property
    def uids(self) -> UIDSet:
        """The messages the client knows of, in the order of their numbers."""
        return self._uids

    @property
    def expunged(self) -> UIDSet:
        """Those of them that are gone, which the client has not been told yet."""
        return self._expunged

    def __len__(self) -> int:
        return len(self._uids)

    def uids_at(self, numbers: UIDSet) -> UIDSet:
        """The UIDs at these sequence numbers. Numbers outside 1 to the number of messages are passed over."""
        runs, before, total = self._uids.runs, self._before, len(self._uids)
        out: list[tuple[int, int]] = []
        for first, last in numbers.runs:
            last = min(last, total)
            while first <= last:
                position = bisect_right(before, first - 1) - 1
                run_first, run_last = runs[position]
                uid = run_first + first - 1 - before[position]
                uid_end = min(run_last, uid + last - first)
                out.append((uid, uid_end))
                first += uid_end - uid + 1
        return UIDSet(out)

    def number_of(self, uid: int) -> int | None:
        """The sequence number of a message, or None where the client knows of no such message."""
        position = bisect_right(self._uids.runs, uid, key=_FIRST) - 1
        if position < 0 or uid > self._uids.runs[position][1]:
            return None
        return self._before[position] + uid - self._uids.runs[position][0] + 1

    def numbers_of(self, uids: Sequence[int]) -> list[int]:
        """The sequence numbers of these messages of the view, given in ascending order."""
        runs, before = self._uids.runs, self._before
        out: list[int] = []
        position, count = 0, len(uids)
        while position < count:
            run = bisect_right(runs, uids[position], key=_FIRST) - 1
            end = bisect_right(uids, runs[run][1], position)
            shift = before[run] - runs[run][0] + 1
            out += [uid + shift for uid in uids[position:end]]
            position = end
        return out

    # -- what the session does itself ------------------------------------------------------------------------------

    def flags_changed_here(self, changed: Columns) -> None:
        """This session's STORE changed these rows (uid, flags, modseq): no need to tell it again as news."""
        modseqs = changed.modseqs or ()
        if modseqs and modseqs.count(modseqs[0]) == len(modseqs):  # one commit, one number: the usual case
            self._changed_here(modseqs[0], changed.uids)
            return
        uids_of: dict[int, list[int]] = {}
        for uid, modseq in zip(changed.uids, modseqs, strict=True):
            uids_of.setdefault(modseq, []).append(uid)
        for modseq, uids in uids_of.items():
            self._changed_here(modseq, uids)

    def _changed_here(self, modseq: int, uids: Sequence[int]) -> None:
        self._own[modseq] = self._own.get(modseq, EMPTY) | UIDSet.of_ascending(uids)

    def knows_recent(self, changes: MailboxChanges) -> bool:
        """False where messages came of which it is not known whether they are recent here: see `claim_recent`."""
        newest = changes.appended.uids[-1] if changes.appended.uids else 0
        known = max(self._uids.largest if self._uids else 0, self._claimed.largest if self._claimed else 0)
        return newest <= known

    def claim_recent(self, recent_after: int, uid_next: int) -> None:
        """
        The mailbox says that UIDs above `recent_after` and below `uid_next` are recent in this session.

        Some of them may not be in the view yet.
        """
        known = self._uids.largest if self._uids else 0
        still_to_come = self._claimed - UIDSet.span(1, known)
        self._claimed = still_to_come | UIDSet.span(recent_after + 1, uid_next - 1)

    # -- what the client is told ---------------------------------------------------------------------------------

    def tell(self, changes: MailboxChanges | None, may_expunge: bool) -> bytes:
        """
        Take in what happened, and render what the client is to be told of it now.

        Args:
            changes: what happened since `modseq`; None: only what was kept back before.
            may_expunge: EXPUNGE may be told: not while FETCH, STORE or SEARCH are answered, nor while no command
                is under way (RFC 3501 §7.4.1). What may not be told is kept back.
        """
        out: list[bytes] = []
        arrived = EMPTY
        if changes is not None:
            arrived = UIDSet.of_ascending(changes.appended.uids) - self._uids - changes.vanished
            self._expunged |= changes.vanished & self._uids
            out.append(self._told_flags(changes.flagged))
            # A message that came and was changed since, and that SELECT told of already.
            out.append(self._told_flags(changes.appended))
            self.modseq = max(self.modseq, changes.modseq)
            self._own = {modseq: uids for modseq, uids in self._own.items() if modseq > self.modseq}
        if may_expunge and self._expunged:
            out.append(self._told_expunges())
        if arrived:
            self.recent |= arrived & self._claimed
            self._set(self._uids | arrived)
            out.append(b"* %d EXISTS\r\n" % len(self._uids))
        if len(self.recent) != self._recent_told:
            self._recent_told = len(self.recent)
            out.append(b"* %d RECENT\r\n" % self._recent_told)
        return b"".join(out)

    def _told_flags(self, columns: Columns) -> bytes:
        if not columns.uids or columns.flags is None:
            return b""
        modseqs = columns.modseqs or [0] * len(columns.uids)
        lines = []
        for uid, flags, modseq in zip(columns.uids, columns.flags, modseqs, strict=True):
            number = self.number_of(uid)
            if number is None or uid in self._expunged or (self._own and uid in self._own.get(modseq, EMPTY)):
                continue
            lines.append(b"* %d FETCH (UID %d FLAGS (%b))\r\n" % (number, uid, self.flags_wire(uid, flags.wire)))
        return b"".join(lines)

    def flags_wire(self, uid: int, wire: bytes) -> bytes:
        """A message's rendered flags, with \\Recent where it is recent in this session."""
        if self.recent and uid in self.recent:
            return b"\\Recent " + wire if wire else b"\\Recent"
        return wire

    def _told_expunges(self) -> bytes:
        gone = self._expunged
        numbers = self.numbers_of(list(gone))
        # From the end, so that the numbers of those still to be told stay what they are.
        lines = [b"* %d EXPUNGE\r\n" % number for number in reversed(numbers)]
        self._expunged = EMPTY
        self.recent -= gone
        self._set(self._uids - gone)
        return b"".join(lines)


def slices(uids: UIDSet, size: int) -> Iterator[UIDSet]:
    """The set cut into sets of up to `size` numbers, ascending."""
    taken: list[tuple[int, int]] = []
    room = size
    for first, last in uids.runs:
        while first <= last:
            end = min(last, first + room - 1)
            taken.append((first, end))
            room -= end - first + 1
            first = end + 1
            if not room:
                yield UIDSet(taken)
                taken, room = [], size
    if taken:
        yield UIDSet(taken)
