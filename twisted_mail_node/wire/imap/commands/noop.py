"""NOOP. Source: RFC 3501 §6.1.2."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from .command import Command


@dataclass(frozen=True, slots=True)
class Noop(Command):
    """Nothing is asked; a chance for the server to tell what has changed."""

    name: ClassVar[str] = "NOOP"
