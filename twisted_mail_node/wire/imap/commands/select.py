"""SELECT and EXAMINE. Sources: RFC 3501 §6.3.1, §6.3.2; RFC 4466 §2.4 (parameters)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ..tokens import Tokens
from .command import Command


@dataclass(frozen=True, slots=True)
class Select(Command):
    """Open a mailbox; `read_only` for EXAMINE. A mailbox that was selected is left, whatever comes of it."""

    name: ClassVar[str] = "SELECT"

    mailbox: str
    read_only: bool = False


def parse(tag: bytes, tokens: Tokens) -> Select:
    """`SELECT` SP mailbox."""
    tokens.space()
    return Select(tag, tokens.mailbox())


def parse_examine(tag: bytes, tokens: Tokens) -> Select:
    """`EXAMINE` SP mailbox."""
    tokens.space()
    return Select(tag, tokens.mailbox(), read_only=True)
