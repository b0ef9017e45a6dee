"""DELE and RSET. Source: RFC 1939 §5. Message numbers are as the client wrote them, from 1."""

from __future__ import annotations

from dataclasses import dataclass

from ..arguments import no_argument, number
from ..standing import Standing


@dataclass(slots=True)
class Delete:
    """DELE. Not frozen, as Retrieve."""

    number: int


@dataclass(frozen=True, slots=True)
class Reset:
    """RSET: nothing is marked as deleted any more."""


def parse_delete(argument: bytes, _: Standing) -> Delete:
    """Raises: Mistake."""
    return Delete(number(argument))


def parse_reset(argument: bytes, _: Standing) -> Reset:
    """Raises: Mistake."""
    no_argument(argument)
    return Reset()
