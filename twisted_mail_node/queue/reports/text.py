"""Text fit for a report: short, printable, folded, encoded. Sources: RFC 5322 §2.1.1, §2.2.3, RFC 2045 §6.7."""

from __future__ import annotations

import re
from binascii import b2a_qp
from textwrap import wrap

from ...wire.smtp.data import has_bare_newline

LINE_CHARACTERS = 76
LONGEST_LINE = 998  # RFC 5322 §2.1.1
# How much of a server's words is told.
_REPLY_OCTETS = 500
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


def short(reply: str) -> str:
    """The beginning of a reply, on one line."""
    return " ".join(reply.split()).encode("utf-8", "replace")[:_REPLY_OCTETS].decode("utf-8", "ignore")


def plain(text: str) -> str:
    """Printable ASCII, which is all that a reply may hold (RFC 5321 §4.2); "?" for anything else."""
    return "".join(c if c.isascii() and c.isprintable() else "?" for c in text)


def printable(text: str) -> str:
    """The text with "?" for controls, and for what has no octets."""
    return _UNPRINTABLE.sub("?", text)


def folded(field: str) -> str:
    """A long field over several lines (RFC 5322 §2.2.3)."""
    return "\r\n ".join(wrap(field, LINE_CHARACTERS, break_on_hyphens=False))


def indented(text: str) -> str:
    """A paragraph that stands back."""
    return "\r\n".join("    " + line for line in wrap(text, LINE_CHARACTERS - 4) or [""])


def is_text(octets: bytes) -> bool:
    """Whether there are lines ended by CRLF and no NUL: binary content may be otherwise (RFC 3030 §3)."""
    return b"\0" not in octets and not (octets and has_bare_newline(octets))


def fits_as_it_is(text: bytes) -> bool:
    """Whether the text needs no encoding: seven bits, and no line too long (RFC 2045 §2.7)."""
    return text.isascii() and is_text(text) and max(map(len, text.split(b"\r\n"))) <= LONGEST_LINE


def quoted(octets: bytes) -> bytes:
    """As quoted-printable; what is no text, with its ends of lines encoded."""
    return b2a_qp(octets, istext=is_text(octets))
