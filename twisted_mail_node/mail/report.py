"""
What a report tells a sender of a message: values. Which of them are told is decided where an outcome is known, at
intake and at the queue; `queue.reports` writes the report.

Sources: RFC 3464 §2.3.3 (actions), RFC 3461 §6.2, §6.3.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from .address import Address
from .options import NO_MAIL_OPTIONS, NO_RECIPIENT_OPTIONS, MailOptions, RecipientOptions
from .status import EnhancedStatus

SUCCESS = EnhancedStatus(2, 0, 0)

TOLD_TOGETHER = 50
"""How many recipients one report tells of; of more there are more reports."""


class Action(Enum):
    """What became of a message for a recipient. Source: RFC 3464 §2.3.3."""

    FAILED = "failed"
    DELIVERED = "delivered"
    RELAYED = "relayed"
    """Handed on to a host that tells nothing of success."""
    EXPANDED = "expanded"
    """Taken by an address of ours that leads to several others."""


@dataclass(frozen=True, slots=True)
class Told:
    """
    One recipient of a report.

    `reply` are the words of `host`, or ours where that is "". `written` is the address that the sender wrote, where an
    alias led away from it. `options` are what was asked for with the recipient.
    """

    recipient: Address
    action: Action
    status: EnhancedStatus = SUCCESS
    reply: str = ""
    host: str = ""
    written: Address | None = None
    options: RecipientOptions = NO_RECIPIENT_OPTIONS


@dataclass(frozen=True, slots=True)
class Reported:
    """
    The message that a report is about.

    `arrived` is in seconds since the epoch. `content` is what is known of it: its header block or the beginning of
    that, `header_size` octets by itself; or all of it, where it may be given back whole.
    """

    sender: Address
    arrived: float
    content: bytes
    header_size: int
    options: MailOptions = NO_MAIL_OPTIONS

    @property
    def header(self) -> bytes:
        """The header block, or its beginning."""
        return self.content[: self.header_size]
