"""RETR and TOP. Sources: RFC 1939 §5, §7. Message numbers are as the client wrote them, from 1."""

from __future__ import annotations

from dataclasses import dataclass

from ..arguments import number
from ..standing import Standing


@dataclass(slots=True)
class Retrieve:
    """RETR. Not frozen: it is made for every message, and a frozen value costs three times as much."""

    number: int


@dataclass(frozen=True, slots=True)
class RetrieveTop:
    """TOP: the header and so many lines of the body."""

    number: int
    lines: int


def parse_retrieve(argument: bytes, _: Standing) -> Retrieve:
    """Raises: Mistake."""
    return Retrieve(number(argument))


def parse_top(argument: bytes, _: Standing) -> RetrieveTop:
    """Raises: Mistake."""
    message, _space, lines = argument.strip(b" ").partition(b" ")
    return RetrieveTop(number(message), number(lines))
