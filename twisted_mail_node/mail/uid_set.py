"""
Sets of UIDs (or of message sequence numbers) as runs of numbers. Source: RFC 3501 §9 sequence-set, §2.3.1.1.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from operator import itemgetter

_FIRST = itemgetter(0)


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
        self._length = sum(last - first + 1 for first, last in merged)

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
        return cls(runs)

    @classmethod
    def of_ascending(cls, numbers: Sequence[int]) -> UIDSet:
        """The set of these numbers, each greater than the one before: a long run costs little more than a short one."""
        runs: list[tuple[int, int]] = []
        start, count = 0, len(numbers)
        while start < count:
            first = numbers[start]
            # `within` is a place in the run; look twice as far each time, then halve the way back to its end.
            within, step = start, 1
            while within + step < count and numbers[within + step] - first == within + step - start:
                within += step
                step *= 2
            while step:
                if within + step < count and numbers[within + step] - first == within + step - start:
                    within += step
                step //= 2
            runs.append((first, numbers[within]))
            start = within + 1
        return cls(runs)

    @classmethod
    def span(cls, first: int, last: int) -> UIDSet:
        """All numbers from first to last, both included; empty when last is smaller."""
        return cls(((first, last),)) if first <= last else EMPTY

    def __len__(self) -> int:
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
        return UIDSet(self.runs + other.runs)

    def __and__(self, other: UIDSet) -> UIDSet:
        out: list[tuple[int, int]] = []
        mine, theirs = iter(self.runs), iter(other.runs)
        a, b = next(mine, None), next(theirs, None)
        while a is not None and b is not None:
            first, last = max(a[0], b[0]), min(a[1], b[1])
            if first <= last:
                out.append((first, last))
            if a[1] < b[1]:
                a = next(mine, None)
            else:
                b = next(theirs, None)
        return UIDSet(out)

    def __sub__(self, other: UIDSet) -> UIDSet:
        out: list[tuple[int, int]] = []
        theirs = other.runs
        position = 0
        for first, last in self.runs:
            while position < len(theirs) and theirs[position][1] < first:
                position += 1
            at, start = position, first
            while at < len(theirs) and theirs[at][0] <= last:
                if theirs[at][0] > start:
                    out.append((start, theirs[at][0] - 1))
                start = theirs[at][1] + 1
                at += 1
            if start <= last:
                out.append((start, last))
        return UIDSet(out)

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


EMPTY = UIDSet()
