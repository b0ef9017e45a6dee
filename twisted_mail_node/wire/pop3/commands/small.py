"""NOOP and QUIT, and what stands for a line that is no command. Sources: RFC 1939 §3, §5, §6."""

from __future__ import annotations

from dataclasses import dataclass

from ..arguments import no_argument
from ..phrases import Phrase
from ..standing import Standing
from ..states import State


@dataclass(frozen=True, slots=True)
class DoNothing:
    """NOOP."""


@dataclass(frozen=True, slots=True)
class Quit:
    """QUIT: in the transaction state, remove what is marked. The connection ends after any reply."""

    in_transaction: bool


@dataclass(frozen=True, slots=True)
class Violated:
    """A line that is no command, or one out of place. With `final` the connection ends after its (negative) reply."""

    phrase: Phrase
    final: bool


def parse_nothing(argument: bytes, _: Standing) -> DoNothing:
    """Raises: Mistake."""
    no_argument(argument)
    return DoNothing()


def parse_quit(argument: bytes, standing: Standing) -> Quit:
    """Raises: Mistake."""
    no_argument(argument)
    return Quit(standing.state is State.TRANSACTION)
