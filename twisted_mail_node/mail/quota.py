"""
How much an account may hold, and how much it holds. Sources: RFC 9208 §5.1, §5.2; RFC 3463 §3.3 (X.2.2).
"""

from __future__ import annotations

from dataclasses import dataclass

from .errors import PermanentFailure
from .status import EnhancedStatus


@dataclass(frozen=True, slots=True)
class QuotaLimits:
    """How many octets, and how many messages, an account may hold; None for any number."""

    octets: int | None = None
    messages: int | None = None

    def __post_init__(self) -> None:
        if any(limit is not None and not 0 <= limit < 2**63 for limit in (self.octets, self.messages)):
            raise ValueError("a limit is from 0 to 2**63 - 1")

    def allow(self, octets: int, messages: int) -> bool:
        """Whether an account may hold so much."""
        return (self.octets is None or octets <= self.octets) and (self.messages is None or messages <= self.messages)


UNLIMITED = QuotaLimits()


@dataclass(frozen=True, slots=True)
class Quota:
    """
    What an account holds, in octets of its messages and in messages, and what it may.

    `is_own` says that the limits are the account's own, and not those of all that have none.
    """

    octets: int
    messages: int
    limits: QuotaLimits
    is_own: bool

    def has_room(self, octets: int = 1, messages: int = 1) -> bool:
        """Whether so much more may come."""
        return self.limits.allow(self.octets + octets, self.messages + messages)


@dataclass(frozen=True, slots=True)
class QuotaRules:
    """
    `limits` of accounts that have none of their own, and what is said of mail for one that is full: `for_good` that it
    is refused, otherwise that it may come later (RFC 3463 §3.3: a persistent transient failure).
    """

    limits: QuotaLimits = UNLIMITED
    for_good: bool = False

    @property
    def refusal(self) -> tuple[EnhancedStatus, str]:
        """The status of mail that there is no room for, and its text."""
        return EnhancedStatus(5 if self.for_good else 4, 2, 2), "the mailbox is full"


NO_RULES = QuotaRules()


class OverQuota(PermanentFailure):
    """There is no room in the account for more: IMAP OVERQUOTA."""

    default_status = EnhancedStatus(5, 2, 2)

    def __init__(self) -> None:
        super().__init__("there is no room for more in the account")
