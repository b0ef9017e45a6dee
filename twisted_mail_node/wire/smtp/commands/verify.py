"""VRFY and EXPN. Source: RFC 5321 §4.1.1.6, §4.1.1.7."""

from __future__ import annotations

from dataclasses import dataclass

from .. import replies
from ..offer import Offer
from .mistake import Mistake


@dataclass(frozen=True, slots=True)
class Vrfy:
    """VRFY with its text as it came."""

    text: str


def parse_vrfy(argument: bytes, offer: Offer) -> Vrfy | Mistake:
    """Read the argument of VRFY."""
    text = argument.strip(b" ")
    return Vrfy(text.decode("utf-8", "replace")) if text else Mistake(replies.BAD_ARGUMENTS)


def parse_expn(argument: bytes, offer: Offer) -> Mistake:
    """EXPN is known, and not done."""
    return Mistake(replies.NOT_IMPLEMENTED)
