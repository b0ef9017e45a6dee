"""xtext: text that hides what has a meaning in commands. Source: RFC 3461 §4."""

from __future__ import annotations

import re

_XTEXT = re.compile(r"(?:[!-*,-<>-~]|\+[0-9A-F]{2})*+")
_HIDDEN = re.compile(rb"\+([0-9A-F]{2})")
_HAS_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def is_xtext(text: str) -> bool:
    """Whether the text is well-formed xtext, as in AUTH= and ORCPT=."""
    return _XTEXT.fullmatch(text) is not None


def decoded(text: str, *, utf8: bool = False) -> str:
    """
    What the xtext hides.

    Raises: ValueError: not xtext, or something that is not printable is hidden, nor ASCII unless `utf8`.
    """
    if not is_xtext(text):
        raise ValueError("not xtext")
    plain = _HIDDEN.sub(lambda hidden: bytes([int(hidden[1], 16)]), text.encode("ascii")).decode("utf-8")
    if _HAS_CONTROL.search(plain) or not (utf8 or plain.isascii()):
        raise ValueError("xtext that hides what is not printable")
    return plain
