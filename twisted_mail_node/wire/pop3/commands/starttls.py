"""STLS. Source: RFC 2595 §4."""

from __future__ import annotations

from dataclasses import dataclass

from ..arguments import Mistake, no_argument
from ..phrases import Phrase
from ..standing import Standing


@dataclass(frozen=True, slots=True)
class StartTLS:
    """STLS. After a positive reply the handshake begins; what was buffered behind it has been dropped."""


def parse(argument: bytes, standing: Standing) -> StartTLS:
    """Raises: Mistake."""
    no_argument(argument)
    if standing.utf8:  # RFC 6856 §2.1: no client may do that.
        raise Mistake(Phrase.NOT_IN_UTF8_MODE)
    return StartTLS()
