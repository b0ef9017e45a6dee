"""
IMAP strings out of arbitrary octets. Sources: RFC 3501 §4.3, §9 (string, nstring); RFC 9051 §9 (QUOTED-CHAR).

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
_never_quotable = re.compile(rb"[\x00\r\n]").search


def string(value: bytes) -> bytes:
    """The octets as an IMAP string."""
    if len(value) > _LONGEST_QUOTED or _unquotable(value):
        value = value.replace(b"\0", b"")
        return b"{%d}\r\n%b" % (len(value), value)
    return b'"' + value + b'"' if _plain(value) else _quoted(value)


def string_utf8(value: bytes) -> bytes:
    """The same for who understands UTF-8 between quotes."""
    if value.isascii() or len(value) > _LONGEST_QUOTED or _never_quotable(value) or not is_utf8(value):
        return string(value)
    return _quoted(value)


def is_utf8(value: bytes) -> bool:
    """Whether the octets are text in UTF-8."""
    try:
        value.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _quoted(value: bytes) -> bytes:
    return b'"' + value.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'


def nstring(value: bytes | None) -> bytes:
    """The octets as an IMAP string, or NIL for None."""
    return b"NIL" if value is None else string(value)
