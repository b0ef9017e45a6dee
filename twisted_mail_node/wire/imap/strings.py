"""
How the server writes what it does not have to quote. Source: RFC 3501 §9 (astring, text).

Neighbour: `wire.mime.strings` quotes, or writes literals.
"""

from __future__ import annotations

import re

from ..mime.strings import string

# RFC 3501 §9: what an astring may be without quotes. NIL would be read as no string at all.
_BARE = re.compile(rb'[^\x00-\x20\x7f-\xff(){%*"\\]+')
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_NOT_TEXT = re.compile(rb"[^\x20-\x7e]")


def astring(octets: bytes) -> bytes:
    """An atom where that can be, else a string."""
    return octets if _BARE.fullmatch(octets) and octets.upper() != b"NIL" else string(octets)


def writable(octets: bytes) -> bytes:
    """
    Octets of a message as a literal may have them: NUL becomes 0x80, so that sizes and offsets stay what they are.

    Source: RFC 3501 §4.3.1, §9 CHAR8.
    """
    return octets.replace(b"\0", b"\x80") if b"\0" in octets else octets


def text(written: str) -> bytes:
    """Free text of a response: one line of printable ASCII, everything else made `?`."""
    return _NOT_TEXT.sub(b"?", written.encode("ascii", "replace"))


def text_utf8(written: str) -> bytes:
    """The same in UTF-8, for a client that has chosen a language (RFC 5255 §3.5)."""
    return _CONTROLS.sub("?", written).encode("utf-8", "replace")
