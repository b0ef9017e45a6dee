"""IDLE. Source: RFC 2177 §3."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from .command import Command


@dataclass(frozen=True, slots=True)
class Idle(Command):
    """The client waits for news until it writes DONE."""

    name: ClassVar[str] = "IDLE"


@dataclass(frozen=True, slots=True)
class Done(Command):
    """DONE: the end of IDLE, answered by the tagged response of the IDLE command whose tag this is."""

    name: ClassVar[str] = "DONE"
