"""AUTHENTICATE and the lines of its exchange. Sources: RFC 3501 §6.2.2; RFC 4959 §3 (the initial response)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

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
