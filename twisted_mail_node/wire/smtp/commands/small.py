"""What changes nothing, or ends something: RSET, NOOP, HELP, QUIT. Source: RFC 5321 §4.1.1.5, §4.1.1.8 to §4.1.1.10."""

from __future__ import annotations

from dataclasses import dataclass

from ..offer import Offer


@dataclass(frozen=True, slots=True)
class Rset:
    """RSET: forget the transaction."""


@dataclass(frozen=True, slots=True)
class Noop:
    """NOOP."""


@dataclass(frozen=True, slots=True)
class Help:
    """HELP, perhaps about something."""

    topic: str


@dataclass(frozen=True, slots=True)
class Quit:
    """QUIT."""


def parse_noop(argument: bytes, offer: Offer) -> Noop:
    """An argument is ignored. Source: RFC 5321 §4.1.1.9."""
    return Noop()


def parse_help(argument: bytes, offer: Offer) -> Help:
    """Read the argument of HELP."""
    return Help(argument.strip(b" ").decode("ascii", "replace"))
