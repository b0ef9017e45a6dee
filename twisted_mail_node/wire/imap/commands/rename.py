"""RENAME. Source: RFC 3501 §6.3.5."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from .command import Command


@dataclass(frozen=True, slots=True)
class Rename(Command):
    """Give a mailbox, and those below it, a new name; of INBOX only the messages move."""

    name: ClassVar[str] = "RENAME"

    mailbox: str
    new_name: str
