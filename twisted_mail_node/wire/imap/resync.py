"""
What happened in a mailbox while a client was away: VANISHED (EARLIER), and FETCH of what changed, in pieces.

Source: RFC 7162 §3.2.5, §3.2.6, §3.2.10.1. Neighbours: `commands.select` has what the client remembers; `view` has
the messages that it knows of now. What a view still has is never told to have vanished earlier.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence

from ...mail.changes import MailboxChanges
from ...mail.columns import Columns
from ...mail.uid_set import UIDSet
from .commands.select import Resync
from .responses import vanished
from .view import LINES_AT_ONCE, RUNS_AT_ONCE, View, rows_of


def vanished_earlier(view: View, gone: UIDSet, asked: UIDSet) -> Iterator[bytes]:
    """VANISHED (EARLIER) with those of the messages that the client asks about: a millisecond's work a piece."""
    for start in range(0, len(gone.runs), LINES_AT_ONCE):
        told = (UIDSet.of_runs(gone.runs[start : start + LINES_AT_ONCE]) & asked) - view.uids
        # What is asked about may cut one run into many.
        for first in range(0, len(told.runs), LINES_AT_ONCE):
            yield vanished(UIDSet.of_runs(told.runs[first : first + LINES_AT_ONCE]), earlier=True)


def changed_since(view: View, columns: Columns, asked: UIDSet) -> Iterator[bytes]:
    """FETCH with UID, FLAGS and MODSEQ of those of the rows that the client asks about, likewise."""
    for start in range(0, len(columns.uids), LINES_AT_ONCE):
        end = start + LINES_AT_ONCE
        told = UIDSet.of_ascending(columns.uids[start:end]) & asked & view.uids
        some = rows_of(columns, told, start, end)
        yield view.flag_rows(some, with_uid=True) if some.uids else b""


def resynchronised(view: View, resync: Resync, changes: MailboxChanges) -> Iterator[bytes]:
    """
    All that the client is to be told after SELECT, likewise; `changes` are those since the modseq that it remembers.

    Where the client's numbers and UIDs still match, it knows of everything that went before (RFC 7162 §3.2.5.2).
    """
    asked = UIDSet.span(1, changes.uid_next - 1) if resync.uids is None else UIDSet(resync.uids.runs)
    matched = yield from matching(view, resync.matches)
    yield from vanished_earlier(view, changes.vanished, asked - UIDSet.span(1, matched))
    yield from changed_since(view, changes.flagged, asked)
    yield from changed_since(view, changes.appended, asked)


def matching(view: View, pairs: Sequence[tuple[tuple[int, int], tuple[int, int]]]) -> Generator[bytes, None, int]:
    """
    The largest UID whose number in the view is the one that the client knows; 0 where there is none.

    It is returned, after pauses: the pairs may be many, and so may the view's runs.
    """
    for (number, _), (uid, last_uid) in reversed(pairs):
        runs = (view.uids & UIDSet.span(uid, last_uid)).runs
        for end in range(len(runs), 0, -RUNS_AT_ONCE):
            # Within a run, numbers go along with UIDs: one that matches means that all do.
            for _, last in reversed(runs[max(0, end - RUNS_AT_ONCE) : end]):
                if view.number_of(last) == number + last - uid:
                    return last
            yield b""
    return 0
