"""
Replies as octets: status lines, response codes, listings.

Decides how things are written; what is said is for the session. Neighbours: `content` for messages.
Sources: RFC 1939 §3, RFC 2449 §3, §4 and §8, RFC 3206 (SYS, AUTH), RFC 6856 §5 (UTF8).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import Enum

# RFC 2449 §4: a first line is at most 512 octets, CRLF included.
MAX_REPLY_OCTETS = 512
_MAX_TEXT_OCTETS = MAX_REPLY_OCTETS - len(b"-ERR [LOGIN-DELAY] \r\n")


class ResponseCode(Enum):
    """The bracketed codes of error replies."""

    IN_USE = b"[IN-USE]"
    """The maildrop is locked by another session (RFC 2449 §8.1.2)."""
    LOGIN_DELAY = b"[LOGIN-DELAY]"
    """The user has logged in too recently (RFC 2449 §8.1.1)."""
    SYS_TEMP = b"[SYS/TEMP]"
    """A failure of ours that will pass (RFC 3206 §4)."""
    SYS_PERM = b"[SYS/PERM]"
    """A failure of ours that needs somebody to mend it (RFC 3206 §4)."""
    AUTH = b"[AUTH]"
    """It is the user's credentials (RFC 3206 §5)."""
    UTF8 = b"[UTF8]"
    """The message needs UTF-8 mode (RFC 6856 §5)."""


OK = b"+OK\r\n"
END = b".\r\n"


def ok(text: str = "", *, international: bool = False) -> bytes:
    """A positive reply of one line. With `international` it may be in any script (RFC 6856 §3.2)."""
    return b"+OK " + _line(text, international) + b"\r\n" if text else OK


def error(text: str, code: ResponseCode | None = None, *, international: bool = False) -> bytes:
    """A negative reply, as `ok`."""
    return b"-ERR " + (code.value + b" " if code else b"") + _line(text, international) + b"\r\n"


def greeting(line: bytes, timestamp: bytes | None) -> bytes:
    """A greeting, with the timestamp that offers APOP behind its text (RFC 1939 §7)."""
    return line if timestamp is None else line.removesuffix(b"\r\n") + b" " + timestamp + b"\r\n"


def challenge(base64: bytes) -> bytes:
    """The server's line in an AUTH exchange (RFC 5034 §4)."""
    return b"+ " + base64 + b"\r\n"


def lines(first: bytes, items: Sequence[str]) -> bytes:
    """A complete multi-line reply of short lines, none of which begins with a dot."""
    return first + "".join([item + "\r\n" for item in items]).encode("utf-8") + END


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


def _line(text: str, international: bool) -> bytes:
    """Whatever text comes here ends up in one line, and none looks as if it began with a code (RFC 2449 §3)."""
    if not (text.isprintable() and (international or text.isascii())):
        text = "".join([c if c.isprintable() and (international or c.isascii()) else "?" for c in text])
    if "[" in text:
        text = text.replace("[", "(").replace("]", ")")
    shown = text.encode("utf-8")
    return shown if len(shown) <= _MAX_TEXT_OCTETS else _cut(shown)


def _cut(shown: bytes) -> bytes:
    return shown[:_MAX_TEXT_OCTETS].decode("utf-8", "ignore").encode("utf-8")
