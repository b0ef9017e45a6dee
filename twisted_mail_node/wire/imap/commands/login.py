"""LOGIN. Source: RFC 3501 §6.2.3."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from ..tokens import Tokens
from .command import Command


@dataclass(frozen=True, slots=True)
class Login(Command):
    """
    A login by user name and password in clear.

    Both are decoded as UTF-8; octets that are none become U+FFFD, which no account's name or password holds.
    """

    name: ClassVar[str] = "LOGIN"

    user: str
    password: str = field(repr=False)


def parse(tag: bytes, tokens: Tokens) -> Login:
    """`LOGIN` SP userid SP password, both astrings."""
    tokens.space()
    user = tokens.astring("a user name")
    tokens.space()
    return Login(tag, _text(user), _text(tokens.astring("a password")))


def _text(octets: bytes) -> str:
    return octets.decode("utf-8", "replace")
