"""
A session's view of its selected mailbox: which messages the client knows of, under which numbers.

The view changes only by what is rendered here to be told: EXISTS, RECENT, EXPUNGE or VANISHED, and FETCH. Whoever
counts what these say arrives at the same numbers. An expunged message stays in the view until it may be told.

Sources: RFC 3501 §2.3.1.2 (sequence numbers), §2.3.2 (\\Recent), §5.5, §7.3, §7.4.1 (when EXPUNGE may be sent);
RFC 7162 §3.2.4 (UID and MODSEQ in every FETCH), §3.2.10 (VANISHED), §6 (HIGHESTMODSEQ); RFC 9586 §3.3, §3.4.
Neighbours: `numbering` has the numbers, `known_flags` the flags that were told; `fetch` renders what the client asks
for; `resync` tells what happened while it was away.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence, Set

from ...mail.changes import MailboxChanges
from ...mail.columns import Columns
from ...mail.flags import Flags
from ...mail.rights import ALL_RIGHTS, NO_RIGHTS, Right, allowed
from ...mail.uid_set import EMPTY, UIDSet
from . import response_codes, responses
from .enabled import Extension
from .known_flags import KnownFlags
from .numbering import Numbering, slices_from_end
from .speech import DEFAULT, Speech
from .told import ToldModSeq

# Lines that are rendered at once: about a millisecond's work.
LINES_AT_ONCE = 500
# Runs of numbers that are looked through at once, for the same reason.
RUNS_AT_ONCE = 2000
# Whoever enabled one of these is told what went by UID.
_BY_UID = frozenset((Extension.QRESYNC, Extension.UIDONLY))


class View(Numbering):
    """
    The messages of one selected mailbox as one session knows them.

    Args:
        uids: the messages at SELECT, whose number EXISTS told.
        modseq: up to where in the mailbox's changes `uids` is known to reach; it may know of later ones.
        recent: those of them that are recent in this session.
        read_only: selected by EXAMINE.
        keywords: those that FLAGS told at SELECT.
        enabled: what the client has enabled; may grow.
        speech: how people are spoken to.
    """

    __slots__ = (
        "_claimed",
        "_enabled",
        "_expunged",
        "_known_flags",
        "_own",
        "_recent_told",
        "modseq",
        "read_only",
        "recent",
        "rights",
        "saved",
        "speech",
        "told",
    )

    def __init__(
        self,
        uids: UIDSet,
        modseq: int = 0,
        recent: UIDSet = EMPTY,
        read_only: bool = False,
        keywords: Iterable[str] = (),
        enabled: Set[Extension] = frozenset(),
        speech: Speech = DEFAULT,
    ) -> None:
        super().__init__(uids)
        self.speech = speech
        self.modseq = modseq
        self.told = ToldModSeq(modseq)
        self._enabled = enabled
        self.read_only = read_only
        self.rights = ALL_RIGHTS
        self.recent = recent & uids
        self.saved = EMPTY  # what the last search was to save (RFC 5182 §2.1)
        self._recent_told = len(self.recent)
        self._claimed = EMPTY  # UIDs that are recent here if and when they are told
        self._expunged = EMPTY
        self._own: dict[int, UIDSet] = {}  # modseq -> messages whose flags this session changed, told or silent
        self._known_flags = KnownFlags(keywords)

    @property
    def expunged(self) -> UIDSet:
        """Those of the messages that are gone, which the client has not been told yet."""
        return self._expunged

    # -- rows -----------------------------------------------------------------------------------------------------

    @property
    def by_uid_alone(self) -> bool:
        """Whether the client has given up sequence numbers (RFC 9586 §3)."""
        return Extension.UIDONLY in self._enabled

    @property
    def gives_modseqs(self) -> bool:
        """Whether FETCH responses that were not asked for give UID and MODSEQ (RFC 7162 §3.2.4)."""
        return Extension.CONDSTORE in self._enabled

    @property
    def tells_recent(self) -> bool:
        """Whether there is such a thing as \\Recent for this client: IMAP4rev2 has done away with it (RFC 9051 §E)."""
        return Extension.IMAP4REV2 not in self._enabled

    @property
    def news_have_uid(self) -> bool:
        """Whether a FETCH response that tells of a change gives the UID in any case (RFC 9051 §7.5.2)."""
        return Extension.IMAP4REV2 in self._enabled or self.gives_modseqs

    @property
    def row_head(self) -> bytes:
        """What a FETCH response begins with, a number of `row_numbers` to be put in."""
        return b"* %d UIDFETCH (" if self.by_uid_alone else b"* %d FETCH ("

    def row_numbers(self, uids: Sequence[int]) -> Sequence[int]:
        """What FETCH responses call these messages of the view, given in ascending order."""
        return uids if self.by_uid_alone else self.numbers_of(uids)

    def modseq_rows(self, columns: Columns) -> bytes:
        """Untagged FETCH with the modseqs of these messages and no flags."""
        return self._rows(columns, None, with_uid=True)

    def _rows(self, columns: Columns, flags: Sequence[bytes] | None, with_uid: bool) -> bytes:
        values: list[Sequence[object]] = [self.row_numbers(columns.uids)]
        items: list[bytes] = []
        if (with_uid or self.news_have_uid) and not self.by_uid_alone:
            items.append(b"UID %d")
            values.append(columns.uids)
        if flags is not None:
            items.append(b"FLAGS (%b)")
            values.append(flags)
        if self.gives_modseqs and columns.modseqs is not None:
            items.append(b"MODSEQ (%d)")
            values.append(self.told.show(columns.modseqs))
        row = self.row_head + b" ".join(items) + b")\r\n"
        return b"".join([row % line for line in zip(*values, strict=True)])

    @property
    def has_shown_ahead(self) -> bool:
        """
        Whether a FETCH response showed a change that is later than what the view has taken in.

        The client may take it for the highest it knows of, so what happened before it has to be told as well
        (RFC 7162 §3.2).
        """
        return self.gives_modseqs and self.told.shown > self.modseq

    def highest_modseq(self) -> bytes:
        """HIGHESTMODSEQ as a response of its own."""
        return self.told.highest(self.speech)

    def command_ended(self) -> bytes:
        """The code HIGHESTMODSEQ, where the end of a command has to give it; b"" where not."""
        return self.told.command_ended(Extension.QRESYNC in self._enabled)

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

    @property
    def changed_ahead(self) -> bool:
        """Whether this session changed flags by changes that the view has not taken in yet."""
        return bool(self._own)

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

    # -- flags --------------------------------------------------------------------------------------------------

    @property
    def known_flags(self) -> Flags:
        """The system flags, and every keyword that the client was told of."""
        return self._known_flags.flags

    def told_keywords(self, flags: Iterable[Flags]) -> bytes:
        """
        FLAGS and PERMANENTFLAGS anew where some of these sets have a keyword that the client was not told of.

        To be written before anything that gives the flags (RFC 3501 §7.2.6).
        """
        if not self._known_flags.add(flags):
            return b""
        told = responses.flags([self.known_flags.wire])
        return told if self.read_only else told + self.permanent_flags()

    def permanent_flags(self) -> bytes:
        """PERMANENTFLAGS: none where it is read-only (RFC 3501 §6.3.2), else what `rights` allow (RFC 4314 §5.1.1)."""
        rights = NO_RIGHTS if self.read_only else self.rights
        code = response_codes.permanent_flags(allowed(self.known_flags, rights), Right.WRITE in rights)
        return self.speech.untagged(responses.ok("flags that last", code))

    def flags_wire(self, uid: int, wire: bytes) -> bytes:
        """A message's rendered flags, with \\Recent where it is recent in this session."""
        if self.recent and uid in self.recent and self.tells_recent:
            return b"\\Recent " + wire if wire else b"\\Recent"
        return wire

    def flag_column(self, columns: Columns) -> list[bytes]:
        """The rendered flags of each row, \\Recent with them."""
        flags = columns.flags or ()
        uids, recent = columns.uids, self.recent
        if not recent or not self.tells_recent or not uids or recent.largest < uids[0] or recent.smallest > uids[-1]:
            return [row.wire for row in flags]
        return [self.flags_wire(uid, row.wire) for uid, row in zip(uids, flags, strict=True)]

    def flag_rows(self, columns: Columns, with_uid: bool) -> bytes:
        """Untagged FETCH with the flags of these messages of the view, new keywords before them."""
        return self.told_keywords(columns.flags or ()) + self._rows(columns, self.flag_column(columns), with_uid)

    # -- what the client is told ---------------------------------------------------------------------------------

    def tell(self, changes: MailboxChanges | None, may_expunge: bool) -> Iterator[bytes]:
        """
        Take in what happened, and render what the client is to be told of it now: a millisecond's work a piece.

        The view is what the pieces taken so far say, so all of them are to be taken and written, in order, and
        nothing else in between; some are empty.

        Args:
            changes: what happened since `modseq`; None: only what was kept back before.
            may_expunge: EXPUNGE may be told: not while FETCH, STORE or SEARCH are answered, nor while no command
                is under way (RFC 3501 §7.4.1). What may not be told is kept back.
        """
        arrived = EMPTY
        if changes is not None:
            arrived = UIDSet.of_ascending(changes.appended.uids) - self._uids - changes.vanished
            runs = changes.vanished.runs
            for start in range(0, len(runs), RUNS_AT_ONCE):
                self._expunged |= UIDSet.of_runs(runs[start : start + RUNS_AT_ONCE]) & self._uids
                yield b""
            yield from self._told_flags(changes.flagged)
            # A message that came and was changed since, and that SELECT told of already.
            yield from self._told_flags(changes.appended)
            self.modseq = max(self.modseq, changes.modseq)
            self._own = {modseq: uids for modseq, uids in self._own.items() if modseq > self.modseq}
        if may_expunge and self._expunged:
            yield from self._told_expunges()
        if arrived:
            self.recent |= arrived & self._claimed
            self._set(self._uids | arrived)
            yield responses.exists(len(self._uids))
        if len(self.recent) != self._recent_told and self.tells_recent:
            self._recent_told = len(self.recent)
            yield responses.recent(self._recent_told)
        if not self._expunged:
            self.told.modseq = self.modseq

    def _told_flags(self, columns: Columns) -> Iterator[bytes]:
        assert columns.modseqs is not None  # IMailbox.changes gives them
        for start in range(0, len(columns.uids), LINES_AT_ONCE):
            end = start + LINES_AT_ONCE
            uids = columns.uids[start:end]
            told = (UIDSet.of_ascending(uids) & self._uids) - self._expunged
            if self._own:
                told -= self._changed_here_of(uids, columns.modseqs[start:end])
            some = rows_of(columns, told, start, end)
            yield self.flag_rows(some, with_uid=True) if some.uids else b""

    def _changed_here_of(self, uids: Sequence[int], modseqs: Sequence[int]) -> UIDSet:
        """Those of these rows that are as this session made them."""
        own = self._own
        if own.keys().isdisjoint(modseqs):
            return EMPTY
        return UIDSet.of_ascending(
            [uid for uid, modseq in zip(uids, modseqs, strict=True) if uid in own.get(modseq, EMPTY)]
        )

    def _told_expunges(self) -> Iterator[bytes]:
        self.told.expunges_told()
        if not self._enabled.isdisjoint(_BY_UID):
            runs = self._expunged.runs
            for start in range(0, len(runs), LINES_AT_ONCE):
                gone = UIDSet.of_runs(runs[start : start + LINES_AT_ONCE])
                self._gone(gone)
                yield responses.vanished(gone)
            return
        # From the end, so that the numbers of those still to be told stay what they are.
        before = Numbering(self._uids)
        for gone in slices_from_end(self._expunged, LINES_AT_ONCE):
            self._gone(gone)
            yield responses.expunged(reversed(before.numbers_of(list(gone))))

    def _gone(self, gone: UIDSet) -> None:
        self._expunged -= gone
        self.recent -= gone
        self._set(self._uids - gone)


def rows_of(columns: Columns, uids: UIDSet, start: int, end: int) -> Columns:
    """Those of the rows from `start` up to `end` whose UIDs are in the set: uid, flags and modseq."""
    some, flags, modseqs = columns.uids[start:end], (columns.flags or ())[start:end], (columns.modseqs or ())[start:end]
    rows = [row for row, uid in enumerate(some) if uid in uids] if len(uids) < len(some) else range(len(some))
    return Columns(
        [some[row] for row in rows], flags=[flags[row] for row in rows], modseqs=[modseqs[row] for row in rows]
    )
