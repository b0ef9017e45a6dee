"""STAT, LIST and UIDL. Sources: RFC 1939 §5, §7. Message numbers are as the client wrote them, from 1."""

from __future__ import annotations

from dataclasses import dataclass

from ..arguments import no_argument, number
from ..standing import Standing


@dataclass(frozen=True, slots=True)
class AskStatus:
    """STAT."""


@dataclass(frozen=True, slots=True)
class ListSizes:
    """LIST, of one message or of all."""

    number: int | None


@dataclass(frozen=True, slots=True)
class ListUniqueIds:
    """UIDL, of one message or of all."""

    number: int | None


def parse_status(argument: bytes, _: Standing) -> AskStatus:
    """Raises: Mistake."""
    no_argument(argument)
    return AskStatus()


def parse_sizes(argument: bytes, _: Standing) -> ListSizes:
    """Raises: Mistake."""
    return ListSizes(number(argument) if argument else None)


def parse_unique_ids(argument: bytes, _: Standing) -> ListUniqueIds:
    """Raises: Mistake."""
    return ListUniqueIds(number(argument) if argument else None)
