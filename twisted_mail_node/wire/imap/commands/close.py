"""CLOSE. Source: RFC 3501 §6.4.2."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from .command import Command


@dataclass(frozen=True, slots=True)
class Close(Command):
    """Expunge silently, unless selected read-only, and leave the mailbox."""

    name: ClassVar[str] = "CLOSE"
