"""CHECK. Source: RFC 3501 §6.4.1."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from .command import Command


@dataclass(frozen=True, slots=True)
class Check(Command):
    """A checkpoint of the selected mailbox; where everything is durable anyway it is NOOP."""

    name: ClassVar[str] = "CHECK"
