"""LOGOUT. Source: RFC 3501 §6.1.3."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from .command import Command


@dataclass(frozen=True, slots=True)
class Logout(Command):
    """The client is done: an untagged BYE, the tagged OK, then the connection is closed."""

    name: ClassVar[str] = "LOGOUT"
