"""STATUS. Sources: RFC 3501 §6.3.10, RFC 7162 §3.1.7, RFC 7889 §4, RFC 8438 §3, RFC 9051 §6.3.11, RFC 9208 §4.1.4."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import ClassVar

from ..tokens import Tokens
from .command import Command


class StatusItem(Enum):
    """What can be asked of a mailbox that is not selected."""

    MESSAGES = "MESSAGES"
    RECENT = "RECENT"
    UID_NEXT = "UIDNEXT"
    UID_VALIDITY = "UIDVALIDITY"
    UNSEEN = "UNSEEN"
    SIZE = "SIZE"
    DELETED = "DELETED"
    DELETED_STORAGE = "DELETED-STORAGE"
    HIGHEST_MODSEQ = "HIGHESTMODSEQ"
    APPEND_LIMIT = "APPENDLIMIT"


@dataclass(frozen=True, slots=True)
class Status(Command):
    """Counters of a mailbox, which need not be selected; items in the order asked, none twice."""

    name: ClassVar[str] = "STATUS"

    mailbox: str
    items: tuple[StatusItem, ...]


def parse(tag: bytes, tokens: Tokens) -> Status:
    """`STATUS` SP mailbox SP `(` items `)`."""
    tokens.space()
    mailbox = tokens.mailbox()
    tokens.space()
    return Status(tag, mailbox, parse_items(tokens))


def parse_items(tokens: Tokens) -> tuple[StatusItem, ...]:
    """`(` items `)`; what is named twice is told once."""
    return tuple(dict.fromkeys(tokens.list_of(lambda: _item(tokens))))


def _item(tokens: Tokens) -> StatusItem:
    return tokens.one_of(StatusItem, "a status item", "unknown status item")
