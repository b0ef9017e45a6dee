"""
Messages under sequence numbers: which UID has which number, for many at once.

Source: RFC 3501 §2.3.1.2. Neighbours: `view` is what a session does with them; `sequence` resolves
what the client writes against them.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate, count
from operator import add, itemgetter, sub

from ...mail.uid_set import UIDSet

_FIRST, _LAST = itemgetter(0), itemgetter(1)


class Numbering:
    """Messages, numbered from 1 in the order of their UIDs."""

    __slots__ = ("_before", "_uids")

    def __init__(self, uids: UIDSet) -> None:
        self._set(uids)

    def _set(self, uids: UIDSet) -> None:
        self._uids = uids
        self._before: list[int] | None = None

    @property
    def _counted(self) -> list[int]:
        """How many messages are before each run, and how many there are in all."""
        before = self._before
        if before is None:
            runs = self._uids.runs
            lengths = map(sub, map(_LAST, runs), map(_FIRST, runs))  # each one too small
            before = self._before = list(map(add, accumulate(lengths, initial=0), count()))
        return before

    @property
    def uids(self) -> UIDSet:
        """The messages, in the order of their numbers."""
        return self._uids

    def __len__(self) -> int:
        return len(self._uids)

    def uids_at(self, numbers: UIDSet) -> UIDSet:
        """The UIDs at these sequence numbers. Numbers outside 1 to the number of messages are passed over."""
        runs, before, total = self._uids.runs, self._counted, len(self._uids)
        out: list[tuple[int, int]] = []
        begin = 0
        for first, last in numbers.runs:
            last = min(last, total)
            if first > last:
                break
            begin = bisect_right(before, first - 1, begin) - 1
            end = bisect_right(before, last - 1, begin) - 1
            start = len(out)
            out += runs[begin : end + 1]
            last_uid = runs[end][0] + last - 1 - before[end]
            out[start] = (out[start][0] + first - 1 - before[begin], out[start][1])
            out[-1] = (out[-1][0], last_uid)
        return UIDSet.of_runs(out)

    def number_of(self, uid: int) -> int | None:
        """The sequence number of a message, or None where there is no such message."""
        position = bisect_right(self._uids.runs, uid, key=_FIRST) - 1
        if position < 0 or uid > self._uids.runs[position][1]:
            return None
        return self._counted[position] + uid - self._uids.runs[position][0] + 1

    def numbers_in_order(self, uids: Sequence[int]) -> list[int]:
        """The sequence numbers of these messages, all of which there are, in the order given."""
        ascending = sorted(uids)
        numbers = self.numbers_of(ascending)
        if ascending == uids:
            return numbers
        number_of = dict(zip(ascending, numbers, strict=True))
        return [number_of[uid] for uid in uids]

    def numbers_of(self, uids: Sequence[int]) -> list[int]:
        """The sequence numbers of these messages, all of which there are, given in ascending order."""
        runs, before = self._uids.runs, self._counted
        out: list[int] = []
        position, end = 0, len(uids)
        run = bisect_right(runs, uids[0], key=_FIRST) - 1 if uids else 0
        while position < end:
            if uids[position] > runs[run][1]:
                run += 1
                if uids[position] > runs[run][1]:
                    run = bisect_right(runs, uids[position], run, key=_FIRST) - 1
            first, last = runs[run]
            shift = before[run] - first + 1
            if position + 1 == end or uids[position + 1] > last:
                out.append(uids[position] + shift)
                position += 1
            else:
                stop = bisect_right(uids, last, position)
                out += [uid + shift for uid in uids[position:stop]]
                position = stop
        return out


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
                yield UIDSet.of_runs(taken)
                taken, room = [], size
    if taken:
        yield UIDSet.of_runs(taken)


def slices_from_end(uids: UIDSet, size: int) -> Iterator[UIDSet]:
    """The set cut into sets of up to `size` numbers, the one with the largest first."""
    taken: list[tuple[int, int]] = []
    room = size
    for first, last in reversed(uids.runs):
        while first <= last:
            begin = max(first, last - room + 1)
            taken.append((begin, last))
            room -= last - begin + 1
            last = begin - 1
            if not room:
                yield UIDSet.of_runs(reversed(taken))
                taken, room = [], size
    if taken:
        yield UIDSet.of_runs(reversed(taken))
