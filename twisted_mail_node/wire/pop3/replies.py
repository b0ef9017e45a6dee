"""
Replies as octets: status lines, response codes, multi-line ends, byte-stuffing.

Decides how things are written; what is said is for the session. Sources: RFC 1939 §3, RFC 2449 §3 and §8,
RFC 3206 (SYS, AUTH).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import Enum

# RFC 2449 §4: a first line is at most 512 octets, CRLF included.
MAX_REPLY_OCTETS = 512


class ResponseCode(Enum):
    """The bracketed codes of error replies."""

    IN_USE = b"[IN-USE]"
    """The maildrop is locked by another session (RFC 2449 §8.1.2)."""
    SYS_TEMP = b"[SYS/TEMP]"
    """A failure of ours that will pass (RFC 3206 §4)."""
    SYS_PERM = b"[SYS/PERM]"
    """A failure of ours that needs somebody to mend it (RFC 3206 §4)."""
    AUTH = b"[AUTH]"
    """It is the user's credentials (RFC 3206 §5)."""


OK = b"+OK\r\n"
END = b".\r\n"


def ok(text: str = "") -> bytes:
    """A positive reply of one line."""
    return b"+OK " + _line(text) + b"\r\n" if text else OK


def error(text: str, code: ResponseCode | None = None) -> bytes:
    """A negative reply."""
    return b"-ERR " + (code.value + b" " if code else b"") + _line(text) + b"\r\n"


def challenge(base64: bytes) -> bytes:
    """The server's line in an AUTH exchange (RFC 5034 §4)."""
    return b"+ " + base64 + b"\r\n"


def lines(text: str, items: Sequence[str]) -> bytes:
    """A complete multi-line reply of short lines, none of which begins with a dot."""
    return ok(text) + b"".join(_line(item) + b"\r\n" for item in items) + END


def status(messages: int, octets: int) -> bytes:
    """The drop listing of STAT."""
    return b"+OK %d %d\r\n" % (messages, octets)


def scan_listing(number: int, size: int) -> bytes:
    """The reply to LIST of one message."""
    return b"+OK %d %d\r\n" % (number, size)


def scan_listings(rows: Iterable[tuple[int, int]]) -> bytes:
    """Rows of LIST: number and size."""
    return b"".join([b"%d %d\r\n" % row for row in rows])


def unique_id_listing(number: int, unique_id: str) -> bytes:
    """The reply to UIDL of one message."""
    return b"+OK %d %s\r\n" % (number, unique_id.encode("ascii"))


def unique_id_listings(rows: Iterable[tuple[int, str]]) -> bytes:
    """Rows of UIDL: number and id."""
    return "".join([f"{number} {unique_id}\r\n" for number, unique_id in rows]).encode("ascii")


def message(content: bytes) -> bytes:
    """The complete reply to RETR for a message that is at hand. The count is of octets before stuffing."""
    head = b"+OK %d octets\r\n" % len(content)
    if b"\r\n." in content:
        content = content.replace(b"\r\n.", b"\r\n..")
    if content[:1] == b".":
        head += b"."
    return head + content + (END if content[-2:] == b"\r\n" or not content else b"\r\n.\r\n")


def message_follows(octets: int) -> bytes:
    """The first line of a RETR reply whose content comes in pieces."""
    return b"+OK %d octets\r\n" % octets


def top_follows() -> bytes:
    """The first line of a TOP reply."""
    return b"+OK top of message follows\r\n"


def top(content: bytes) -> bytes:
    """The complete reply to TOP for what is to be shown."""
    stuffing = Stuffing()
    return top_follows() + stuffing.feed(content) + stuffing.end()


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
        stuffed = piece.replace(b"\r\n.", b"\r\n..") if b"\r\n." in piece else piece
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


def _line(text: str) -> bytes:
    # Whatever text comes here ends up in one line of ASCII (RFC 2449 §3).
    shown = text if text.isascii() and text.isprintable() else "".join(c if " " <= c <= "~" else "?" for c in text)
    return shown.encode("ascii")[: MAX_REPLY_OCTETS - 20]
