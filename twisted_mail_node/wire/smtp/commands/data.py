"""DATA and BDAT, and the content behind them. Sources: RFC 5321 §4.1.1.4; RFC 3030 §2."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .. import replies
from ..offer import Offer
from .mistake import Mistake

# RFC 3030 §4.2 has no bound for a chunk; twenty digits are those of SIZE (RFC 1870 §4).
_BDAT = re.compile(rb"([0-9]{1,20})(?: ++(LAST))?+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Data:
    """DATA; a 354 begins the content."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """BDAT; so many octets of content follow, and wants no answer before they have come."""

    size: int
    is_last: bool


@dataclass(frozen=True, slots=True)
class Content:
    """A piece of the message; wants no answer."""

    data: bytes


@dataclass(frozen=True, slots=True)
class ChunkEnd:
    """The end of a chunk that is not the last; wants its answer."""


@dataclass(frozen=True, slots=True)
class ContentEnd:
    """The end of the message; wants its answer, in LMTP one for each accepted recipient."""

    size: int
    bare_newlines: bool
    nul: bool = False


def parse_bdat(argument: bytes, offer: Offer) -> Chunk | Mistake:
    """Read the argument of BDAT."""
    match = _BDAT.fullmatch(argument.strip(b" "))
    return Mistake(replies.BAD_CHUNK) if match is None else Chunk(int(match[1]), match[2] is not None)
