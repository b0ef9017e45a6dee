"""
What a step of an exchange comes to. The protocols turn each into their own words.

Source: RFC 4422 §3. Neighbours: `server` gives these; `protocols.sasl` has checked what is proposed.
"""

from __future__ import annotations

from binascii import b2a_base64
from dataclasses import dataclass, field
from enum import Enum


class RefusalReason(Enum):
    """Why an exchange ended without anything to check."""

    UNKNOWN_MECHANISM = "unknown or unavailable mechanism"
    """SMTP 504 5.5.4, IMAP NO, POP3 -ERR."""
    MALFORMED = "malformed response"
    """Not base64, not the mechanism's syntax, not UTF-8, or too long. SMTP 501 5.5.2, IMAP BAD, POP3 -ERR."""
    CANCELLED = "cancelled by the client"
    """The client sent "*". SMTP 501 5.7.0, IMAP BAD, POP3 -ERR."""
    OTHER_IDENTITY = "cannot act for another identity"
    """The authorization identity is another's. SMTP 535 5.7.8, IMAP NO, POP3 -ERR [AUTH]."""


@dataclass(frozen=True, slots=True)
class Challenge:
    """Send this and wait for a line. `data` is raw; `wire` is its base64 form, without prefix and line end."""

    data: bytes = b""

    @property
    def wire(self) -> bytes:
        """The challenge in base64; empty for an empty one."""
        return b2a_base64(self.data, newline=False)


@dataclass(frozen=True, slots=True)
class Proposed:
    """
    The exchange is complete: this name and this password are to be checked.

    `identity` is the account that the client wants to be, "" where that is the one it names.
    """

    username: str
    password: str = field(repr=False)
    identity: str = ""


@dataclass(frozen=True, slots=True)
class Refused:
    """The exchange is over, and nothing is to be checked."""

    reason: RefusalReason


Outcome = Challenge | Proposed | Refused

MALFORMED = Refused(RefusalReason.MALFORMED)
