"""LANGUAGE. Source: RFC 5255 §3.2, §3.5."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ..refusal import BadSyntax
from ..tokens import Tokens
from .command import Command

# Our own bound: nobody reads more languages.
MAX_RANGES = 50


@dataclass(frozen=True, slots=True)
class Language(Command):
    """Speak the first of these languages that you know, given as ranges; none asks which there are."""

    name: ClassVar[str] = "LANGUAGE"

    ranges: tuple[str, ...] = ()


def parse(tag: bytes, tokens: Tokens) -> Language:
    """`LANGUAGE` *(SP range)."""
    ranges: list[str] = []
    while not tokens.at_end:
        tokens.space()
        ranges.append(tokens.astring("a language").decode("ascii", "replace"))
        if len(ranges) > MAX_RANGES:
            raise BadSyntax("too many languages")
    return Language(tag, tuple(ranges))
