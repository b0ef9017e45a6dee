"""
The states of a session, and what may be said in each. A command that is missing here is out of place.

Source: RFC 1939 §3; RFC 2449 §5, RFC 2595 §4, RFC 5034 §4, and RFC 6856 §2 and §3 for the extensions.
"""

from __future__ import annotations

from enum import Enum, auto


class State(Enum):
    """Where a session stands."""

    AUTHORIZATION = auto()
    """Nobody is logged in."""
    EXCHANGE = auto()
    """In an AUTH exchange: the next line is a response, not a command."""
    TRANSACTION = auto()
    """A maildrop is open."""
    CLOSED = auto()
    """The last reply was sent."""


COMMANDS_BY_STATE: dict[State, frozenset[bytes]] = {
    State.AUTHORIZATION: frozenset((b"CAPA", b"LANG", b"UTF8", b"USER", b"PASS", b"APOP", b"AUTH", b"STLS", b"QUIT")),
    State.EXCHANGE: frozenset(),
    State.TRANSACTION: frozenset(
        (b"CAPA", b"LANG", b"STAT", b"LIST", b"UIDL", b"RETR", b"TOP", b"DELE", b"RSET", b"NOOP", b"QUIT")
    ),
    State.CLOSED: frozenset(),
}
