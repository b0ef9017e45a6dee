"""
Commands as values: what the engine hands to a session. Message numbers are as the client wrote them, from 1.

Sources: RFC 1939 §5 to §7, RFC 2449 §5 (CAPA), RFC 2595 §4 (STLS), RFC 5034 §4 (AUTH).
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class AskCapabilities:
    """CAPA."""


@dataclass(frozen=True, slots=True)
class StartTLS:
    """STLS. After a positive reply the handshake begins; what was buffered behind it has been dropped."""


@dataclass(frozen=True, slots=True)
class NameUser:
    """USER. A positive reply says nothing about whether the name exists."""

    name: str


@dataclass(frozen=True, slots=True)
class LogIn:
    """PASS after USER. A positive reply begins the transaction state."""

    username: str
    password: str = field(repr=False)


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


@dataclass(slots=True)
class Retrieve:
    """RETR. Not frozen: it is made for every message, and a frozen value costs three times as much."""

    number: int


@dataclass(frozen=True, slots=True)
class RetrieveTop:
    """TOP: the header and so many lines of the body."""

    number: int
    lines: int


@dataclass(slots=True)
class Delete:
    """DELE. Not frozen, as Retrieve."""

    number: int


@dataclass(frozen=True, slots=True)
class Reset:
    """RSET: nothing is marked as deleted any more."""


@dataclass(frozen=True, slots=True)
class DoNothing:
    """NOOP."""


@dataclass(frozen=True, slots=True)
class Quit:
    """QUIT: in the transaction state, remove what is marked. The connection ends after any reply."""

    in_transaction: bool


@dataclass(frozen=True, slots=True)
class Violated:
    """A line that is no command, or one out of place: send `reply`. With `final` the connection ends after it."""

    reply: bytes
    final: bool


Command = (
    AskCapabilities
    | StartTLS
    | NameUser
    | LogIn
    | AskMechanisms
    | Auth
    | AuthLine
    | AskStatus
    | ListSizes
    | ListUniqueIds
    | Retrieve
    | RetrieveTop
    | Delete
    | Reset
    | DoNothing
    | Quit
    | Violated
)
