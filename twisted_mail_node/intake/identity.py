"""The ids of transactions: unique for ever, and in the order of time when sorted as text."""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.interfaces import IReactorTime

_RANDOM_OCTETS = 5


class TransactionIds:
    """
    Makes ids of 22 hexadecimal digits: milliseconds since the epoch, then 40 random bits.

    Args:
        clock: seconds since the epoch.
        random_octets: that many random octets, such as `os.urandom`.
    """

    def __init__(self, clock: IReactorTime, random_octets: Callable[[int], bytes]) -> None:
        self._clock = clock
        self._random_octets = random_octets

    def next(self) -> str:
        """A new id."""
        return f"{int(self._clock.seconds() * 1000):012x}{self._random_octets(_RANDOM_OCTETS).hex()}"
