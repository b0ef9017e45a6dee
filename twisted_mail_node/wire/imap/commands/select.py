"""SELECT and EXAMINE. Sources: RFC 3501 §6.3.1, §6.3.2; RFC 4466 §2.4 (parameters)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from .command import Command


@dataclass(frozen=True, slots=True)
class Select(Command):
    """Open a mailbox; `read_only` for EXAMINE. A mailbox that was selected is left, whatever comes of it."""

    name: ClassVar[str] = "SELECT"

    mailbox: str
    read_only: bool = False
