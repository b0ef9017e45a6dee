"""VRFY, EXPN and ETRN. Sources: RFC 5321 §4.1.1.6, §4.1.1.7; RFC 6531 §3.7.4.2; RFC 1985."""

from __future__ import annotations

from dataclasses import dataclass

from .. import replies
from ..offer import Extension, Offer
from .mistake import Mistake


@dataclass(frozen=True, slots=True)
class Vrfy:
    """VRFY with its text as it came. `smtputf8`: the answer may be in UTF-8."""

    text: str
    smtputf8: bool = False


@dataclass(frozen=True, slots=True)
class Expn:
    """EXPN with its text as it came. `smtputf8`: the answer may be in UTF-8."""

    text: str
    smtputf8: bool = False


def parse_vrfy(argument: bytes, offer: Offer) -> Vrfy | Mistake:
    """Read the argument of VRFY."""
    read = _read(argument, offer)
    return read if isinstance(read, Mistake) else Vrfy(*read)


def parse_expn(argument: bytes, offer: Offer) -> Expn | Mistake:
    """Read the argument of EXPN."""
    read = _read(argument, offer)
    return read if isinstance(read, Mistake) else Expn(*read)


def parse_etrn(argument: bytes, offer: Offer) -> Mistake:
    """ETRN is known, and refused: the queue goes out by itself, to where DNS says."""
    return Mistake(replies.NOT_IMPLEMENTED)


def _read(argument: bytes, offer: Offer) -> tuple[str, bool] | Mistake:
    text, utf8 = argument.strip(b" "), False
    if offer.has(Extension.SMTPUTF8) and text[-9:].upper() == b" SMTPUTF8":
        text, utf8 = text[:-9].rstrip(b" "), True
    if not text:
        return Mistake(replies.BAD_ARGUMENTS)
    if not utf8 and not text.isascii():
        return Mistake(replies.NON_ASCII_ADDRESS if offer.has(Extension.SMTPUTF8) else replies.BAD_ARGUMENTS)
    try:
        return text.decode("utf-8"), utf8
    except UnicodeDecodeError:
        return Mistake(replies.BAD_ARGUMENTS)
