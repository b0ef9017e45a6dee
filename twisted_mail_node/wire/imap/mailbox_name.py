"""
Mailbox names on the wire: modified UTF-7, and INBOX in any case. Source: RFC 3501 §5.1, §5.1.3.

Names are str everywhere else. Which names may exist is the store's affair.
"""

from __future__ import annotations

import re
from binascii import Error, a2b_base64, b2a_base64

from .refusal import Impossible

_SHIFTED = re.compile(r"&([A-Za-z0-9+,]*)-")
_TO_SHIFT = re.compile(r"&|[^\x20-\x7e]+")


def decode(data: bytes) -> str:
    """
    The name that these octets mean; `inbox` in any case is INBOX.

    Raises: Impossible: octets that encode no name, or not in the one way the standard allows.
    """
    name = decode_text(data)
    if name is None:
        raise Impossible("mailbox name is not modified UTF-7", b"CANNOT")
    return "INBOX" if name.upper() == "INBOX" else name


def decode_text(data: bytes) -> str | None:
    """Octets in modified UTF-7 as text; None where they are not in its one correct form."""
    if not data.isascii():
        return None
    written = data.decode("ascii")
    if "&" not in written and written.isprintable():
        return written
    try:
        text = _SHIFTED.sub(_unshifted, written)
    except (Error, UnicodeDecodeError):
        return None
    # There is one correct spelling (no shift to ASCII, none left open, none right after another, no stray bits).
    return text if encode(text) == data else None


def encode(name: str) -> bytes:
    """The name in modified UTF-7."""
    if "&" not in name and name.isascii() and name.isprintable():
        return name.encode("ascii")
    return _TO_SHIFT.sub(_shifted, name).encode("ascii")


def _unshifted(match: re.Match[str]) -> str:
    if not match[1]:
        return "&"
    padded = match[1].replace(",", "/") + "=" * (-len(match[1]) % 4)
    return a2b_base64(padded).decode("utf-16-be")


def _shifted(match: re.Match[str]) -> str:
    if match[0] == "&":
        return "&-"
    octets = b2a_base64(match[0].encode("utf-16-be", "surrogatepass"), newline=False)
    return "&" + octets.decode("ascii").rstrip("=").replace("/", ",") + "-"
