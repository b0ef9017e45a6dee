"""COMPRESS. Source: RFC 4978 §3, §5."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ..tokens import Tokens
from .command import Command


@dataclass(frozen=True, slots=True)
class Compress(Command):
    """The client wants to compress by this mechanism, in capitals, once it has been told OK."""

    name: ClassVar[str] = "COMPRESS"

    mechanism: str


def parse(tag: bytes, tokens: Tokens) -> Compress:
    """`COMPRESS` SP mechanism."""
    tokens.space()
    return Compress(tag, tokens.keyword("a mechanism"))
