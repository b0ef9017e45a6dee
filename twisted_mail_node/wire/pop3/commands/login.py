"""USER and PASS. Sources: RFC 1939 §7; RFC 6856 §2.2 (names and passwords in UTF-8)."""

from __future__ import annotations

from dataclasses import dataclass, field

from ...sasl.text import MAX_NAME_OCTETS, MAX_PASSWORD_OCTETS
from ..arguments import Mistake, text_of
from ..phrases import Phrase
from ..standing import Standing


@dataclass(frozen=True, slots=True)
class NameUser:
    """USER. A positive reply says nothing about whether the name exists."""

    name: str


@dataclass(frozen=True, slots=True)
class LogIn:
    """PASS after USER. A positive reply begins the transaction state."""

    username: str
    password: str = field(repr=False)


def parse_user(argument: bytes, _: Standing) -> NameUser:
    """Raises: Mistake."""
    name = text_of(argument.strip(b" "), MAX_NAME_OCTETS)
    if name is None:
        raise Mistake(Phrase.NAME_EXPECTED)
    return NameUser(name)


def parse_password(argument: bytes, standing: Standing) -> LogIn:
    """Raises: Mistake; the name is forgotten in any case."""
    # RFC 1939 §7: the password is the rest of the line, spaces and all.
    name, standing.user = standing.user, None
    if name is None:
        raise Mistake(Phrase.USER_FIRST)
    password = text_of(argument, MAX_PASSWORD_OCTETS)
    if password is None:
        raise Mistake(Phrase.PASSWORD_EXPECTED)
    return LogIn(name, password)
