"""STATUS. Source: RFC 3501 §6.3.10."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import ClassVar

from .command import Command


class StatusItem(Enum):
    """What can be asked of a mailbox that is not selected."""

    MESSAGES = "MESSAGES"
    RECENT = "RECENT"
    UID_NEXT = "UIDNEXT"
    UID_VALIDITY = "UIDVALIDITY"
    UNSEEN = "UNSEEN"


@dataclass(frozen=True, slots=True)
class Status(Command):
    """Counters of a mailbox, which need not be selected; items in the order asked, none twice."""

    name: ClassVar[str] = "STATUS"

    mailbox: str
    items: tuple[StatusItem, ...]
