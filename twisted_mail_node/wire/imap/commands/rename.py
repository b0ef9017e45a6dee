"""RENAME. Source: RFC 3501 §6.3.5."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ..tokens import Tokens
from .command import Command


@dataclass(frozen=True, slots=True)
class Rename(Command):
    """Give a mailbox, and those below it, a new name; of INBOX only the messages move."""

    name: ClassVar[str] = "RENAME"

    mailbox: str
    new_name: str


def parse(tag: bytes, tokens: Tokens) -> Rename:
    """`RENAME` SP mailbox SP mailbox."""
    tokens.space()
    mailbox = tokens.mailbox()
    tokens.space()
    return Rename(tag, mailbox, tokens.mailbox())
