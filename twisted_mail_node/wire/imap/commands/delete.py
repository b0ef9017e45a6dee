"""DELETE. Source: RFC 3501 §6.3.4."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ..tokens import Tokens
from .command import Command


@dataclass(frozen=True, slots=True)
class Delete(Command):
    """Remove a mailbox with its messages; those below it stay."""

    name: ClassVar[str] = "DELETE"

    mailbox: str


def parse(tag: bytes, tokens: Tokens) -> Delete:
    """`DELETE` SP mailbox."""
    tokens.space()
    return Delete(tag, tokens.mailbox())
