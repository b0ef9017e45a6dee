"""
IMAP strings out of arbitrary octets. Sources: RFC 3501 §4.3, §9 (string, nstring).

A quoted string where the grammar allows one and it is not long, else a literal. NUL cannot be written at all
(CHAR8) and is dropped.
"""

from __future__ import annotations

import re

# RFC 3501 §9: QUOTED-CHAR is any TEXT-CHAR but quoted-specials; TEXT-CHAR is seven bits without NUL, CR, LF.
_plain = re.compile(rb'[^\x00\r\n"\\\x80-\xff]*').fullmatch
# Longer ones are easier to take as a literal, and some clients take no others.
_LONGEST_QUOTED = 1000
_unquotable = re.compile(rb"[\x00\r\n\x80-\xff]").search


def string(value: bytes) -> bytes:
    """The octets as an IMAP string."""
    if len(value) > _LONGEST_QUOTED or _unquotable(value):
        value = value.replace(b"\0", b"")
        return b"{%d}\r\n%b" % (len(value), value)
    if _plain(value):
        return b'"' + value + b'"'
    return b'"' + value.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'


def nstring(value: bytes | None) -> bytes:
    """The octets as an IMAP string, or NIL for None."""
    return b"NIL" if value is None else string(value)
