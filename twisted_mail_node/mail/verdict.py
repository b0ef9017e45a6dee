"""What a policy says: yes, not now, no. Values, not exceptions."""

from __future__ import annotations

from dataclasses import dataclass

from .envelope import Recipient
from .status import EnhancedStatus, Reply


@dataclass(frozen=True, slots=True)
class Accept:
    """Yes. For a recipient, `recipient` says where it leads."""

    recipient: Recipient | None = None


@dataclass(frozen=True, slots=True)
class Defer:
    """Not now: a 4xx reply. `code` is the SMTP reply code that fits the stage."""

    status: EnhancedStatus
    text: str
    code: int = 451

    def as_reply(self) -> Reply:
        """The SMTP reply that says so."""
        return Reply(self.code, (self.text,), self.status)


@dataclass(frozen=True, slots=True)
class Reject:
    """No: a 5xx reply. `code` is the SMTP reply code that fits the stage."""

    status: EnhancedStatus
    text: str
    code: int = 550

    def as_reply(self) -> Reply:
        """The SMTP reply that says so."""
        return Reply(self.code, (self.text,), self.status)


Verdict = Accept | Defer | Reject
