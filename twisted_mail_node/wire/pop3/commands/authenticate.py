"""AUTH, and the lines of its exchange. Source: RFC 5034 §4."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..standing import Standing
from ..states import State


@dataclass(frozen=True, slots=True)
class AskMechanisms:
    """AUTH without a mechanism: old clients ask so for the list (RFC 1734's successors left it undefined)."""


@dataclass(frozen=True, slots=True)
class Auth:
    """
    AUTH; `initial` is the initial response in base64, None where there was none (RFC 5034 §4).

    Answered by `challenge`, or by a reply that ends the exchange; a positive one begins the transaction state.
    """

    mechanism: str
    initial: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class AuthLine:
    """A line of the exchange under way, in base64, or "*" to give up. Answered as Auth."""

    line: bytes = field(repr=False)


def parse(argument: bytes, standing: Standing) -> AskMechanisms | Auth:
    """The command itself, with its initial response where there is one."""
    standing.user = None
    mechanism, space, initial = argument.strip(b" ").partition(b" ")
    if not mechanism:
        return AskMechanisms()
    return Auth(mechanism.decode("ascii", "replace"), initial if space else None)


def parse_response(line: bytes, standing: Standing) -> AuthLine:
    """A line of an exchange under way."""
    standing.state = State.AUTHORIZATION
    return AuthLine(line)
