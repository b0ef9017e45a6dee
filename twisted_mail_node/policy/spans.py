"""Counting by name in spans of time: so many and no more, for anything that comes too often."""

from __future__ import annotations

from collections import OrderedDict

from twisted.internet.interfaces import IReactorTime


class SpanLimit:
    """
    At most `limit` of something for one name in `span_seconds`, which begin with the first; 0 for no limit.

    `max_names` bounds the memory: the name seen longest ago is forgotten first. A restart forgets all.
    """

    def __init__(self, clock: IReactorTime, limit: int, span_seconds: float, max_names: int) -> None:
        self._clock = clock
        self._limit = limit
        self._span_seconds = span_seconds
        self._max_names = max_names
        # By name: when its span began, and how many there were.
        self._counts: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._counts)

    @property
    def is_none(self) -> bool:
        """There is no limit, and nothing is counted."""
        return not self._limit

    def take(self, name: str) -> bool:
        """One more. True while it is within the limit."""
        if not self._limit:
            return True
        now = self._clock.seconds()
        since, count = self._counts.get(name, (now, 0))
        if now - since >= self._span_seconds:
            since, count = now, 0
        self._counts[name] = (since, count + 1)
        self._counts.move_to_end(name)
        if len(self._counts) > self._max_names:
            self._counts.popitem(last=False)
        return count < self._limit
