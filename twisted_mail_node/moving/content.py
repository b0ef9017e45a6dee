"""
A message on its way to rest: line ends become CRLF, and what the store wants to know of it is found on the way.

Whatever it looks like otherwise is kept: what is broken stays as it is, and is remarked on.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from ..mail.columns import INLINE_BODY_OCTETS
from ..mail.transaction import Body
from ..wire.mime.envelope import envelope_of
from .source import CannotRead, Original

_bare_line_feed = re.compile(rb"(?<!\r)\n")
_field = re.compile(rb"[!-9;-~]+[ \t]*:")

Stage = Callable[[Iterator[bytes], "Measure"], Body]
"""Puts pieces into a staged body; the measure is complete when they have been taken."""


class LineEnds:
    """Makes CRLF of bare LF in pieces (or of each LF, with `line_feeds_only`)."""

    def __init__(self, line_feeds_only: bool = False) -> None:
        self._all = line_feeds_only
        self._ends_in_return = False

    def feed(self, data: bytes) -> bytes:
        """The next piece, made so."""
        if self._all:
            return data.replace(b"\n", b"\r\n")
        if not data:
            return data
        ends_in_return, self._ends_in_return = self._ends_in_return, data.endswith(b"\r")
        pairs = data.count(b"\r\n")
        if data.count(b"\n") == pairs:
            return data
        first = b"\n" if ends_in_return and data.startswith(b"\n") else b""
        rest = data[len(first) :]
        return first + (_bare_line_feed.sub(b"\r\n", rest) if pairs else rest.replace(b"\n", b"\r\n"))


class LineFeeds:
    """Makes LF of CRLF in pieces. `is_lossless` tells of what came: CR and LF stood together only."""

    def __init__(self) -> None:
        self._held = b""
        self._returns = self._feeds = self._pairs = 0

    @property
    def is_lossless(self) -> bool:
        """Whether LineEnds makes the same of it again."""
        return self._returns == self._pairs == self._feeds

    def of(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """The pieces, made so."""
        for piece in pieces:
            text = self._held + piece
            # A CR at the end waits for what comes behind it.
            self._held = b"\r" if text.endswith(b"\r") else b""
            text = text[: len(text) - len(self._held)]
            self._returns += text.count(b"\r")
            self._feeds += text.count(b"\n")
            self._pairs += text.count(b"\r\n")
            yield text.replace(b"\r\n", b"\n")
        self._returns += len(self._held)
        yield self._held


class Measure:
    """What the store wants to know of a body, found as its pieces go by."""

    def __init__(self) -> None:
        self.size = 0
        self.eight_bit = False
        self.has_nul = False
        self._header = bytearray()
        self._header_size: int | None = None
        self._tail = b"\n"  # as if a line had ended before: a message may begin with its empty line

    def take(self, piece: bytes) -> bytes:
        """Look at the next piece, line ends made already; gives it back."""
        self.eight_bit = self.eight_bit or not piece.isascii()
        self.has_nul = self.has_nul or b"\0" in piece
        if self._header_size is None:
            self._look_for_end(piece)
        self.size += len(piece)
        return piece

    def _look_for_end(self, piece: bytes) -> None:
        window = self._tail + piece
        found = window.find(b"\n\r\n")
        if found >= 0:
            self._header_size = self.size - len(self._tail) + found + 3
        self._tail = window[-2:]
        if len(self._header) < INLINE_BODY_OCTETS:
            self._header += piece
        if self._header_size is not None:
            del self._header[self._header_size :]

    @property
    def header_size(self) -> int:
        """Octets of the header block, its empty line counted; all of it where it has no end."""
        return self.size if self._header_size is None else self._header_size

    @property
    def envelope(self) -> bytes | None:
        """The ENVELOPE in wire form, where the header's end was found."""
        return None if self._header_size is None else envelope_of(bytes(self._header))

    @property
    def remarks(self) -> list[str]:
        """What is wrong with the message."""
        found = []
        if not _field.match(self._header):
            found.append("it does not begin with a header")
        if self.has_nul:
            found.append("it has NUL octets")
        return found


@dataclass(frozen=True, slots=True)
class Rested:
    """A body made ready, and what is wrong with it."""

    body: Body
    remarks: list[str]


def rest(original: Original, stage: Stage) -> Rested:
    """
    Read a message and make a body of it; a large one goes through `stage` piece by piece.

    Raises: CannotRead, OSError: it can't be read, or there is nothing in it.
    """
    line_ends, measure = LineEnds(original.line_feeds_only), Measure()
    pieces = (measure.take(piece) for piece in _cut(map(line_ends.feed, original.pieces()), original.size))
    gathered: list[bytes] = []
    for piece in pieces:
        gathered.append(piece)
        if measure.size > INLINE_BODY_OCTETS:
            body = stage(_chained(gathered, pieces), measure)
            return Rested(replace(body, envelope=measure.envelope), measure.remarks)
    if not measure.size:
        raise CannotRead("there is nothing in it")
    content = gathered[0] if len(gathered) == 1 else b"".join(gathered)
    body = Body(measure.size, measure.header_size, content, None, measure.eight_bit, measure.envelope)
    return Rested(body, measure.remarks)


def _cut(pieces: Iterable[bytes], size: int | None) -> Iterator[bytes]:
    if size is None:
        yield from pieces
        return
    for piece in pieces:
        yield piece[:size]
        size -= len(piece[:size])


def _chained(first: Iterable[bytes], rest: Iterator[bytes]) -> Iterator[bytes]:
    yield from first
    yield from rest
