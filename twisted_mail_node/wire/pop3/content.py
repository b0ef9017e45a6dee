"""
Messages as they are sent: byte-stuffing, and the part of a message that TOP asks for. Source: RFC 1939 §3, §7.
"""

from __future__ import annotations

import re

from .replies import END

# For what most messages do not have, it takes half the time of a search for the octets themselves.
_has_dotted_line = re.compile(rb"\r\n\.").search


def message(content: bytes, unit: bytes = b"octets") -> bytes:
    """
    The complete reply to RETR for a message that is at hand.

    The count is of octets before stuffing; `unit` is the word behind it.
    """
    head = b"+OK %d %b\r\n" % (len(content), unit)
    if _has_dotted_line(content):
        content = content.replace(b"\r\n.", b"\r\n..")
    if content[:1] == b".":
        head += b"."
    return head + content + (END if content[-2:] == b"\r\n" or not content else b"\r\n.\r\n")


def message_follows(octets: int, unit: bytes = b"octets") -> bytes:
    """The first line of a RETR reply whose content comes in pieces."""
    return b"+OK %d %b\r\n" % (octets, unit)


def stuffed(content: bytes) -> bytes:
    """Content that is at hand as it follows a first line, the end of the reply with it."""
    stuffing = Stuffing()
    return stuffing.feed(content) + stuffing.end()


class Stuffing:
    """
    Byte-stuffing of content that comes in pieces, cut anywhere. Source: RFC 1939 §3.

    A dot is doubled at the beginning and behind every CRLF. Content whose last line has no end is given one.
    """

    __slots__ = ("_after_cr", "_at_line_start")

    def __init__(self) -> None:
        self._at_line_start = True
        self._after_cr = False

    def feed(self, piece: bytes) -> bytes:
        """The piece as it is sent."""
        if not piece:
            return b""
        stuffed = piece.replace(b"\r\n.", b"\r\n..") if _has_dotted_line(piece) else piece
        if self._at_line_start and piece[:1] == b".":
            stuffed = b"." + stuffed
        elif self._after_cr and piece[:2] == b"\n.":
            stuffed = b"\n." + stuffed[1:]
        self._at_line_start = piece[-2:] == b"\r\n" or (self._after_cr and piece == b"\n")
        self._after_cr = piece[-1:] == b"\r"
        return stuffed

    def end(self) -> bytes:
        """What ends the reply."""
        return END if self._at_line_start else b"\r\n.\r\n"


class TopCut:
    """
    Cuts content that comes in pieces behind its header and so many lines of its body. Source: RFC 1939 §7 (TOP).

    Lines are ended by LF here: what is stored has CRLF and no LF of its own.
    """

    __slots__ = ("_lines_left", "_tail")

    def __init__(self, body_lines: int) -> None:
        self._lines_left = body_lines
        # The end of the header so far, in which the empty line may have begun; None when the body has begun.
        self._tail: bytes | None = b"\r\n"

    @property
    def done(self) -> bool:
        """Nothing more is wanted."""
        return self._tail is None and self._lines_left <= 0

    def feed(self, piece: bytes) -> bytes:
        """As much of the piece as belongs to it."""
        if self._tail is None:
            return self._of_body(piece)
        joined = self._tail + piece
        end = joined.find(b"\r\n\r\n")
        if end < 0:
            self._tail = joined[-3:]
            return piece
        header = end + 4 - len(self._tail)
        self._tail = None
        return piece[:header] + self._of_body(piece[header:])

    def _of_body(self, piece: bytes) -> bytes:
        if self._lines_left <= 0:
            return b""
        count = piece.count(b"\n")
        if count < self._lines_left:
            self._lines_left -= count
            return piece
        rest = piece.split(b"\n", self._lines_left)[-1]
        self._lines_left = 0
        return piece[: len(piece) - len(rest)]
