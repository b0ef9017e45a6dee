"""
What ORCPT and ENVID hold: xtext (RFC 3461 §4), and addresses beyond ASCII in the forms of RFC 6533 §3.

Neighbours: `client_commands` writes the parameters, the queue's reports tell what they mean.
"""

from __future__ import annotations

import re

from ...mail.address import Address
from .xtext import decoded

_EMBEDDED = re.compile(r"\\x\{([0-9A-F]{2,6})\}")
_UNFIT_FOR_XTEXT = re.compile(r"[^!-*,-<>-~]")
# RFC 6533 §3: what ASCII a QUCHAR cannot be.
_UNFIT_FOR_UNITEXT = re.compile(r"[\x00-\x20+=\\\x7f]")
_BEYOND_ASCII = re.compile(r"[^\x00-\x7f]")


def original_recipient(address: Address) -> str:
    """The address as a value of ORCPT: as `rfc822` where it is ASCII, else as `utf-8` in its eight-bit form."""
    text = str(address)
    if text.isascii():
        return "rfc822;" + _UNFIT_FOR_XTEXT.sub(lambda found: f"+{ord(found[0]):02X}", text)
    return "utf-8;" + _UNFIT_FOR_UNITEXT.sub(_embedded, text)


def in_ascii(value: str) -> str:
    """A value of ORCPT for a server without SMTPUTF8: what is beyond ASCII is embedded (RFC 6533 §3)."""
    return value if value.isascii() else _BEYOND_ASCII.sub(_embedded, value)


def read_xtext(text: str) -> str:
    """What the xtext stands for; as it is where that would not be printable (RFC 3461 §4.2, §4.4)."""
    try:
        return decoded(text, utf8=True)
    except ValueError:
        return text


def read_original_recipient(value: str) -> tuple[str, str]:
    """
    The type and the address of a value of ORCPT, as a report tells them (RFC 3461 §6.3).

    Of the type `utf-8` the embedded characters are taken out, unless no address would come of it (RFC 6533 §3).
    """
    kind, _, text = value.partition(";")
    if kind.lower() != "utf-8":
        return kind, read_xtext(text)
    meant = _EMBEDDED.sub(_character, text)
    return kind, meant if meant.isprintable() and "@" in meant else text


def _embedded(found: re.Match[str]) -> str:
    return f"\\x{{{ord(found[0]):02X}}}"


def _character(found: re.Match[str]) -> str:
    number = int(found[1], 16)
    return chr(number) if number <= 0x10FFFF and not 0xD800 <= number <= 0xDFFF else found[0]
