"""UNAUTHENTICATE. Source: RFC 8437 §3."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from .command import Command


@dataclass(frozen=True, slots=True)
class Unauthenticate(Command):
    """The client goes back to before its login: on this connection another user is to follow."""

    name: ClassVar[str] = "UNAUTHENTICATE"
