"""ENABLE. Source: RFC 5161 §3.1."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from .command import Command


@dataclass(frozen=True, slots=True)
class Enable(Command):
    """The client can take what these capabilities (in capitals) change. Unknown ones are passed over."""

    name: ClassVar[str] = "ENABLE"

    capabilities: tuple[str, ...]
