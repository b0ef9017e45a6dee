"""When an item is tried again, and when it is given up. Pure. Source: RFC 5321 §4.5.4.1."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

_HOUR = 3600.0
_DAY = 24 * _HOUR


@dataclass(frozen=True, slots=True)
class Schedule:
    """
    Growing intervals between tries, in seconds.

    The first tries come soon, since most failures are over soon; RFC 5321 asks for 30 minutes between tries "in
    general" and for giving up after 4 to 5 days. `jitter` is by how large a part an interval may be shorter or
    longer, so that what failed together does not come back together.
    """

    intervals_seconds: tuple[float, ...] = (60.0, 300.0, 900.0, 1800.0, _HOUR, 2 * _HOUR, 4 * _HOUR)
    then_every_seconds: float = 8 * _HOUR
    give_up_after_seconds: float = 5 * _DAY
    jitter: float = 0.1

    def next_due(self, attempts: int, created: float, now: float, chance: Callable[[], float]) -> float | None:
        """
        When to try again after `attempts` tries that failed, or None to give up.

        `chance` gives numbers from 0 to below 1. The last try is made when the time is over, not before.
        """
        end = created + self.give_up_after_seconds
        if now >= end:
            return None
        known = self.intervals_seconds
        interval = known[attempts - 1] if 0 < attempts <= len(known) else self.then_every_seconds
        return min(now + interval * (1.0 + self.jitter * (2.0 * chance() - 1.0)), end)
