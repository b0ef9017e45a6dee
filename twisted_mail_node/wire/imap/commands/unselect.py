"""UNSELECT. Source: RFC 3691 §2."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from .command import Command


@dataclass(frozen=True, slots=True)
class Unselect(Command):
    """Leave the mailbox, expunging nothing."""

    name: ClassVar[str] = "UNSELECT"
