"""ENABLE. Source: RFC 5161 §3.1."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ..tokens import Tokens
from .command import Command


@dataclass(frozen=True, slots=True)
class Enable(Command):
    """The client can take what these capabilities (in capitals) change. Unknown ones are passed over."""

    name: ClassVar[str] = "ENABLE"

    capabilities: tuple[str, ...]


def parse(tag: bytes, tokens: Tokens) -> Enable:
    """`ENABLE` 1*(SP capability)."""
    tokens.space()
    return Enable(tag, tuple(tokens.parted(lambda: tokens.keyword("a capability"))))
