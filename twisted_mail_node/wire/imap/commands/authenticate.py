"""AUTHENTICATE and the lines of its exchange. Sources: RFC 3501 §6.2.2; RFC 4959 §3 (the initial response)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from ...sasl.encoding import decode_initial, decode_response
from ...sasl.outcomes import Refused
from ..refusal import BadSyntax
from ..tokens import Tokens
from .command import Command


@dataclass(frozen=True, slots=True)
class Authenticate(Command):
    """
    A SASL exchange begins.

    `mechanism` is in capitals. `initial_response` is decoded; None when the client sent none, b"" when it sent
    `=`.
    """

    name: ClassVar[str] = "AUTHENTICATE"

    mechanism: str
    initial_response: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class AuthenticateResponse(Command):
    """The client's answer to a challenge of the exchange with this tag, decoded; None when it gave up with `*`."""

    name: ClassVar[str] = "AUTHENTICATE"

    response: bytes | None = field(repr=False)


def parse(tag: bytes, tokens: Tokens) -> Authenticate:
    """`AUTHENTICATE` SP mechanism, and SP initial response in base64 or `=` where the client has one."""
    tokens.space()
    mechanism = tokens.keyword("a mechanism")
    if tokens.at_end:
        return Authenticate(tag, mechanism)
    tokens.space()
    initial = decode_initial(tokens.rest())
    if isinstance(initial, Refused):
        raise BadSyntax("the initial response is not base64")
    return Authenticate(tag, mechanism, initial)


def parse_response(tag: bytes, line: bytes) -> AuthenticateResponse:
    """A line of the exchange: base64, or `*` to give up."""
    if line == b"*":
        return AuthenticateResponse(tag, None)
    response = decode_response(line)
    if isinstance(response, Refused):
        raise BadSyntax("the response is not base64")
    return AuthenticateResponse(tag, response)
