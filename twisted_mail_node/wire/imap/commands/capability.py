"""CAPABILITY. Source: RFC 3501 §6.1.1."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from .command import Command


@dataclass(frozen=True, slots=True)
class Capability(Command):
    """The client asks what the server can do, in the state it is in."""

    name: ClassVar[str] = "CAPABILITY"
