"""AUTH and the lines of its exchange. Source: RFC 4954 §4."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from .. import replies
from ..offer import Offer
from .mistake import Mistake

_MECHANISM = re.compile(rb"[A-Za-z0-9_-]{1,20}")  # RFC 4422 §3.1


@dataclass(frozen=True, slots=True)
class Auth:
    """AUTH; `initial` is the initial response in base64, None where there was none. Source: RFC 4954 §4."""

    mechanism: str
    initial: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class AuthLine:
    """The client's line in an exchange, base64 or `*`."""

    line: bytes = field(repr=False)


def parse(argument: bytes, offer: Offer) -> Auth | Mistake:
    """Read the argument."""
    mechanism, blank, initial = argument.strip(b" ").partition(b" ")
    if not _MECHANISM.fullmatch(mechanism) or b" " in initial:
        return Mistake(replies.BAD_ARGUMENTS)
    return Auth(mechanism.decode("ascii").upper(), initial if blank else None)
