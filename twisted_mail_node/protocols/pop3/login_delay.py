"""
The least time between two logins to one maildrop. Source: RFC 2449 §6.5, §8.1.1.

It counts from the positive reply to a login. What is remembered is bounded, and of this node alone: who is forgotten,
or comes by another node, may log in again sooner.
"""

from __future__ import annotations

from collections import OrderedDict
from math import ceil

from twisted.internet.interfaces import IReactorTime

from ...mail.errors import TemporaryFailure

# About 10 MB of names; those who logged in the longest ago are forgotten first.
MAX_REMEMBERED = 100_000


class LoggedInTooSoon(TemporaryFailure):
    """The last login was a moment ago. `seconds` have to pass yet."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"logged in just now, wait {seconds} s")
        self.seconds = seconds


class LoginDelay:
    """
    Remembers when accounts logged in. To be shared by all listeners of a node.

    `seconds` is the delay; 0 is none, and nothing is remembered then.
    """

    def __init__(self, clock: IReactorTime, seconds: int) -> None:
        self.seconds = seconds
        self._clock = clock
        self._logged_in: OrderedDict[str, float] = OrderedDict()

    def __len__(self) -> int:
        return len(self._logged_in)

    def check(self, account: str) -> None:
        """Whether the account may log in now. Raises: LoggedInTooSoon."""
        last = self._logged_in.get(account)
        if last is None:
            return
        left = last + self.seconds - self._clock.seconds()
        if left > 0:
            raise LoggedInTooSoon(ceil(left))

    def logged_in(self, account: str) -> None:
        """The account has logged in."""
        if not self.seconds:
            return
        now = self._clock.seconds()
        self._logged_in[account] = now
        self._logged_in.move_to_end(account)
        while len(self._logged_in) > MAX_REMEMBERED or next(iter(self._logged_in.values())) + self.seconds <= now:
            self._logged_in.popitem(last=False)
