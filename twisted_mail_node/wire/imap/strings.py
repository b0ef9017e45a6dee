"""
How the server writes strings: quoted where that can be, else as a literal. Source: RFC 3501 §4.3, §9.
"""

from __future__ import annotations

import re

# RFC 3501 §9: what an astring may be without quotes. NIL would be read as no string at all.
_BARE = re.compile(rb'[^\x00-\x20\x7f-\xff(){%*"\\]+')
# QUOTED-CHAR: 7 bit, without NUL, CR, LF.
_NOT_QUOTABLE = re.compile(rb"[\x00\r\n\x80-\xff]")
_SPECIAL = re.compile(rb'(["\\])')
# A longer string is easier to read, and to write, as a literal.
_LONGEST_QUOTED = 1000


def string(octets: bytes) -> bytes:
    """A quoted string, or a literal where octets cannot be quoted. NUL fits neither and is left out."""
    if len(octets) > _LONGEST_QUOTED or _NOT_QUOTABLE.search(octets):
        octets = octets.replace(b"\0", b"")
        return b"{%d}\r\n%b" % (len(octets), octets)
    return b'"%b"' % (_SPECIAL.sub(rb"\\\1", octets) if b'"' in octets or b"\\" in octets else octets)


def nstring(octets: bytes | None) -> bytes:
    """The same, and NIL for None."""
    return b"NIL" if octets is None else string(octets)


def astring(octets: bytes) -> bytes:
    """An atom where that can be, else a string."""
    return octets if _BARE.fullmatch(octets) and octets.upper() != b"NIL" else string(octets)


def text(octets: bytes) -> bytes:
    """Free text of a response: one line of printable ASCII, everything else made `?`."""
    return _NOT_TEXT.sub(b"?", octets)


_NOT_TEXT = re.compile(rb"[^\x20-\x7e]")
