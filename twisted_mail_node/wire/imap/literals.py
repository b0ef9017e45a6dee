"""
Literals on the wire: how one is announced, and how octets are thrown away that come whether wanted or not.

Neighbours: `server` collects the literals of strings, `appending` those that are messages.
Sources: RFC 3501 §9 literal; RFC 7888 §3, §4 (non-synchronizing); RFC 3516 §4.4, RFC 4466 §2.4.1 (literal8).
"""

from __future__ import annotations

import re
from typing import NamedTuple

from ..errors import LineTooLong
from ..wait import Wait
from .input import Input
from .limits import Limits

_ANNOUNCEMENT = re.compile(rb"\{([0-9]+)(\+?)\}\Z")
# How far from its end a line is searched for an announcement: no number worth reading has more digits.
_ANNOUNCEMENT_OCTETS = 64


class Literal(NamedTuple):
    """An announced literal."""

    size: int
    synchronizing: bool


def announced(line: bytes) -> Literal | None:
    """The literal that a line ends in announcing."""
    if not line.endswith(b"}"):
        return None
    match = _ANNOUNCEMENT.search(line, max(0, len(line) - _ANNOUNCEMENT_OCTETS))
    return Literal(int(match[1]), not match[2]) if match else None


class EndlessLine(Exception):
    """A line goes on and on."""


class TooMuch(Exception):
    """More comes of a refused command than is worth waiting for."""


def take_line(source: Input, limits: Limits) -> bytes | None:
    """The next line, if it is there. Raises: LineTooLong; EndlessLine: its end does not come."""
    line = source.take_line()
    if line is None and source.skipped_octets > limits.skip_octets:
        raise EndlessLine
    return line


class Discarding:
    """What is left of a refused command: literals that come without being asked for, and the lines behind them."""

    def __init__(self, source: Input, limits: Limits) -> None:
        self._input = source
        self._limits = limits
        self._remaining = 0
        self._announced = 0

    def refuses(self, literal: Literal) -> bool:
        """Whether the literal comes whatever is answered, and is more than is thrown away."""
        return not literal.synchronizing and literal.size > self._limits.discard_octets

    def start(self, size: int) -> None:
        """So many octets come first."""
        self._remaining = self._announced = size

    def read(self) -> Wait | None:
        """None when the end of the command has come. Raises: TooMuch; EndlessLine."""
        while True:
            self._remaining -= len(self._input.take_up_to(self._remaining))
            if self._remaining:
                return Wait.NEED_DATA
            try:
                line = take_line(self._input, self._limits)
            except LineTooLong:
                line = b""
            if line is None:
                return Wait.NEED_DATA
            literal = announced(line)
            if literal is None or literal.synchronizing:
                return None
            self._announced += literal.size
            if self._announced > self._limits.discard_octets:
                raise TooMuch
            self._remaining = literal.size
