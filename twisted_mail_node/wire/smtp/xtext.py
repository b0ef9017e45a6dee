"""xtext: text that hides what has a meaning in commands. Source: RFC 3461 §4."""

from __future__ import annotations

import re

_XTEXT = re.compile(r"(?:[!-*,-<>-~]|\+[0-9A-F]{2})*+")
_HIDDEN = re.compile(r"\+([0-9A-F]{2})")
_PRINTABLE = re.compile(r"[ -~]*+")


def is_xtext(text: str) -> bool:
    """Whether the text is well-formed xtext, as in AUTH= and ORCPT=."""
    return _XTEXT.fullmatch(text) is not None


def decoded(text: str) -> str:
    """What the xtext hides. Raises: ValueError: not xtext, or something that is not printable ASCII is hidden."""
    if not is_xtext(text):
        raise ValueError("not xtext")
    plain = _HIDDEN.sub(lambda hidden: chr(int(hidden[1], 16)), text)
    if not _PRINTABLE.fullmatch(plain):
        raise ValueError("xtext that hides what is not printable")
    return plain
