"""When to say that a certificate ends: two weeks, a week and a day before, and every day once it has ended."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from .files import Pair

WARNING_DAYS = (14, 7, 1)
"""Who renews certificates that last three months does so a month before; of shorter ones, some days."""


class Expiry:
    """Remembers what was said of which certificate."""

    def __init__(self) -> None:
        self._said: dict[int, int] = {}

    def due(self, pairs: Sequence[Pair], now: datetime) -> list[str]:
        """What is to be said now and was not yet."""
        due = []
        said, self._said = self._said, {}
        for pair in pairs:
            stage, serial = _stage(pair, now), pair.chain[0].serial_number
            before = said.get(serial, WARNING_DAYS[0] + 1)
            self._said[serial] = min(stage, before)
            if stage < before:
                due.append(warning_of(pair, now))
        return due


def warnings_of(pairs: Sequence[Pair], now: datetime) -> list[str]:
    """What is to be said of these certificates to somebody who asks."""
    return [warning_of(pair, now) for pair in pairs if _stage(pair, now) <= WARNING_DAYS[0]]


def warning_of(pair: Pair, now: datetime) -> str:
    """The sentence about a certificate that ends, or has ended."""
    if pair.expires <= now:
        return f"the certificate {pair.path} has ended on {pair.expires:%Y-%m-%d %H:%M} UTC: clients will refuse it"
    return f"the certificate {pair.path} ends on {pair.expires:%Y-%m-%d %H:%M} UTC: renew it"


def _stage(pair: Pair, now: datetime) -> int:
    """The fewest days of a warning that is due; more than all where none is; minus the days since the end."""
    left = pair.expires - now
    if left <= timedelta(0):
        return -(-left // timedelta(days=1))
    return min((days for days in WARNING_DAYS if left <= timedelta(days=days)), default=WARNING_DAYS[0] + 1)
