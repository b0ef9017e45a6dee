"""DELETE. Source: RFC 3501 §6.3.4."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from .command import Command


@dataclass(frozen=True, slots=True)
class Delete(Command):
    """Remove a mailbox with its messages; those below it stay."""

    name: ClassVar[str] = "DELETE"

    mailbox: str
