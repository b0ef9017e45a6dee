"""
Sets of UIDs (or of message sequence numbers) as runs of numbers. Source: RFC 3501 §9 sequence-set, §2.3.1.1.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from operator import itemgetter

_FIRST, _LAST = itemgetter(0), itemgetter(1)
# Where one set has so many times fewer runs than the other, finding places is faster than walking along both.
_FEW = 16


class UIDSet:
    """
    An immutable set of positive integers, kept as ascending runs that neither touch nor overlap.

    A mailbox of a million messages without gaps is one run. Iteration is ascending; `len` counts numbers, not
    runs. `runs` is a tuple of (first, last), both included.
    """

    __slots__ = ("_length", "runs")

    runs: tuple[tuple[int, int], ...]

    def __init__(self, runs: Iterable[tuple[int, int]] = ()) -> None:
        merged: list[tuple[int, int]] = []
        for first, last in sorted(runs):
            if first > last:
                raise ValueError(f"a run ends before it begins: {first}:{last}")
            if merged and first <= merged[-1][1] + 1:
                if last > merged[-1][1]:
                    merged[-1] = (merged[-1][0], last)
            else:
                merged.append((first, last))
        self.runs = tuple(merged)
        self._length = -1

    @classmethod
    def of_runs(cls, runs: Iterable[tuple[int, int]]) -> UIDSet:
        """The set of these runs, which ascend and neither touch nor overlap already: that is not looked at."""
        made = cls.__new__(cls)
        made.runs = tuple(runs)
        made._length = -1
        return made

    @classmethod
    def of(cls, numbers: Iterable[int]) -> UIDSet:
        """The set of these numbers, in any order, repeats allowed."""
        runs: list[tuple[int, int]] = []
        first = last = None
        for number in sorted(numbers):
            if last is not None and first is not None and number <= last + 1:
                last = max(last, number)
            else:
                if first is not None and last is not None:
                    runs.append((first, last))
                first = last = number
        if first is not None and last is not None:
            runs.append((first, last))
        return cls.of_runs(runs)

    @classmethod
    def of_ascending(cls, numbers: Sequence[int]) -> UIDSet:
        """The set of these numbers, each greater than the one before: a long run costs little more than a short one."""
        return cls.of_runs(runs_of(numbers))

    @classmethod
    def span(cls, first: int, last: int) -> UIDSet:
        """All numbers from first to last, both included; empty when last is smaller."""
        return cls(((first, last),)) if first <= last else EMPTY

    def __len__(self) -> int:
        if self._length < 0:
            runs = self.runs
            self._length = sum(map(_LAST, runs)) - sum(map(_FIRST, runs)) + len(runs)
        return self._length

    def __bool__(self) -> bool:
        return bool(self.runs)

    def __iter__(self) -> Iterator[int]:
        for first, last in self.runs:
            yield from range(first, last + 1)

    def __contains__(self, number: int) -> bool:
        position = bisect_right(self.runs, number, key=_FIRST) - 1
        return position >= 0 and number <= self.runs[position][1]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, UIDSet) and self.runs == other.runs

    def __hash__(self) -> int:
        return hash(self.runs)

    def __or__(self, other: UIDSet) -> UIDSet:
        mine, theirs = self.runs, other.runs
        if not mine or not theirs:
            return self if mine else other
        if mine[-1][1] + 1 < theirs[0][0]:
            return UIDSet.of_runs(mine + theirs)
        return UIDSet(mine + theirs)

    def __and__(self, other: UIDSet) -> UIDSet:
        mine, theirs = _near(self.runs, other.runs), _near(other.runs, self.runs)
        if mine == theirs:  # a set and part of itself, as it often is; where they differ, that is seen at once
            return UIDSet.of_runs(mine)
        few, many = (mine, theirs) if len(mine) < len(theirs) else (theirs, mine)
        if len(few) * _FEW >= len(many):
            return UIDSet.of_runs(_common(few, many))
        # Whole stretches of the many, cut at the ends of each of the few.
        out: list[tuple[int, int]] = []
        for first, last in few:
            begin = _first_ending_at(many, first)
            end = bisect_right(many, last, begin, key=_FIRST)
            if begin < end:
                start = len(out)
                out += many[begin:end]
                out[start] = (max(first, out[start][0]), out[start][1])
                out[-1] = (out[-1][0], min(last, out[-1][1]))
        return UIDSet.of_runs(out)

    def __sub__(self, other: UIDSet) -> UIDSet:
        mine, theirs = self.runs, _near(other.runs, self.runs)
        if not theirs:
            return self
        if len(theirs) * _FEW >= len(mine):
            return UIDSet.of_runs(_without(mine, theirs))
        out: list[tuple[int, int]] = []
        at, start = 0, 0  # of mine, all before `at` is done; of the run there, all before `start`
        for first, last in theirs:
            begin = _first_ending_at(mine, first, at)
            stretch = list(mine[at:begin])
            end = bisect_right(mine, last, begin, key=_FIRST)
            if begin < end and mine[begin][0] < first:
                stretch.append((mine[begin][0], first - 1))
            # Something is left of the run that `start` lies in: runs of `other` do not touch.
            if stretch and stretch[0][0] < start:
                stretch[0] = (start, stretch[0][1])
            out += stretch
            start = last + 1
            at = end - 1 if begin < end and mine[end - 1][1] > last else end
        stretch = list(mine[at:])
        if stretch and stretch[0][0] < start:
            stretch[0] = (start, stretch[0][1])
        return UIDSet.of_runs(out + stretch)

    @property
    def smallest(self) -> int:
        """The smallest number. Raises IndexError on the empty set."""
        return self.runs[0][0]

    @property
    def largest(self) -> int:
        """The largest number. Raises IndexError on the empty set."""
        return self.runs[-1][1]

    @property
    def wire(self) -> bytes:
        """The set as IMAP writes it, `1:3,7`. Empty for the empty set, which IMAP cannot write."""
        return b",".join(b"%d" % a if a == b else b"%d:%d" % (a, b) for a, b in self.runs)

    def __repr__(self) -> str:
        return f"UIDSet({self.wire.decode()})"


def runs_of(numbers: Sequence[int]) -> Iterator[tuple[int, int]]:
    """The runs of consecutive numbers, in the order given: a long one costs little more than a short one."""
    start, count = 0, len(numbers)
    while start < count:
        first = numbers[start]
        if start + 1 == count or numbers[start + 1] != first + 1:
            yield first, first
            start += 1
            continue
        # `within` is a place in the run; look twice as far each time, then halve the way back to its end.
        within, step = start + 1, 2
        while within + step < count and numbers[within + step] - first == within + step - start:
            within += step
            step *= 2
        while step:
            if within + step < count and numbers[within + step] - first == within + step - start:
                within += step
            step //= 2
        yield first, numbers[within]
        start = within + 1


def _near(runs: tuple[tuple[int, int], ...], others: tuple[tuple[int, int], ...]) -> tuple[tuple[int, int], ...]:
    """Those of the runs that are not wholly before or behind all others."""
    if not runs or not others:
        return ()
    begin, end = _first_ending_at(runs, others[0][0]), bisect_right(runs, others[-1][1], key=_FIRST)
    return runs[begin:end] if end - begin < len(runs) else runs


def _first_ending_at(runs: tuple[tuple[int, int], ...], number: int, begin: int = 0) -> int:
    """The index of the first run, from `begin` on, that ends at this number or later."""
    return bisect_left(runs, number, begin, key=_LAST)


def _common(one: tuple[tuple[int, int], ...], other: tuple[tuple[int, int], ...]) -> Iterator[tuple[int, int]]:
    mine, theirs = iter(one), iter(other)
    a, b = next(mine, None), next(theirs, None)
    while a is not None and b is not None:
        first, last = max(a[0], b[0]), min(a[1], b[1])
        if first <= last:
            yield first, last
        if a[1] < b[1]:
            a = next(mine, None)
        else:
            b = next(theirs, None)


def _without(one: tuple[tuple[int, int], ...], other: tuple[tuple[int, int], ...]) -> Iterator[tuple[int, int]]:
    position, end = 0, len(other)
    for first, last in one:
        while position < end and other[position][1] < first:
            position += 1
        at, start = position, first
        while at < end and other[at][0] <= last:
            if other[at][0] > start:
                yield start, other[at][0] - 1
            start = other[at][1] + 1
            at += 1
        if start <= last:
            yield start, last


EMPTY = UIDSet()
