"""
The states of a session, and what each command needs and leads to. Source: RFC 3501 §3, §6.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto


class State(Enum):
    """Where a session is. Source: RFC 3501 §3."""

    NOT_AUTHENTICATED = auto()
    AUTHENTICATED = auto()
    SELECTED = auto()
    LOGOUT = auto()


_ANY = frozenset((State.NOT_AUTHENTICATED, State.AUTHENTICATED, State.SELECTED))
_FRESH = frozenset((State.NOT_AUTHENTICATED,))
_KNOWN = frozenset((State.AUTHENTICATED, State.SELECTED))
_OPEN = frozenset((State.SELECTED,))


@dataclass(frozen=True, slots=True)
class Rule:
    """In which states a command may be given, and the state after its OK or NO; None leaves it as it is."""

    allowed: frozenset[State]
    after_ok: State | None = None
    after_no: State | None = None


RULES: dict[bytes, Rule] = {
    b"CAPABILITY": Rule(_ANY),
    b"NOOP": Rule(_ANY),
    b"ID": Rule(_ANY),
    b"LANGUAGE": Rule(_ANY),  # RFC 5255 §3.1
    b"LOGOUT": Rule(_ANY, after_ok=State.LOGOUT),
    b"STARTTLS": Rule(_FRESH),
    b"LOGIN": Rule(_FRESH, after_ok=State.AUTHENTICATED),
    b"AUTHENTICATE": Rule(_FRESH, after_ok=State.AUTHENTICATED),
    # RFC 5161 §3.1 allows ENABLE before a mailbox is selected; what it enables later may need more.
    b"ENABLE": Rule(_KNOWN),
    b"UNAUTHENTICATE": Rule(_KNOWN, after_ok=State.NOT_AUTHENTICATED),
    b"COMPRESS": Rule(_KNOWN),
    b"NAMESPACE": Rule(_KNOWN),
    b"IDLE": Rule(_KNOWN),
    # RFC 3501 §6.3.1: a SELECT that fails leaves no mailbox selected.
    b"SELECT": Rule(_KNOWN, after_ok=State.SELECTED, after_no=State.AUTHENTICATED),
    b"EXAMINE": Rule(_KNOWN, after_ok=State.SELECTED, after_no=State.AUTHENTICATED),
    b"CREATE": Rule(_KNOWN),
    b"DELETE": Rule(_KNOWN),
    b"RENAME": Rule(_KNOWN),
    b"SUBSCRIBE": Rule(_KNOWN),
    b"UNSUBSCRIBE": Rule(_KNOWN),
    b"LIST": Rule(_KNOWN),
    b"LSUB": Rule(_KNOWN),
    b"STATUS": Rule(_KNOWN),
    b"GETMETADATA": Rule(_KNOWN),
    b"SETMETADATA": Rule(_KNOWN),
    b"SETACL": Rule(_KNOWN),
    b"DELETEACL": Rule(_KNOWN),
    b"GETACL": Rule(_KNOWN),
    b"LISTRIGHTS": Rule(_KNOWN),
    b"MYRIGHTS": Rule(_KNOWN),
    b"GETQUOTA": Rule(_KNOWN),
    b"GETQUOTAROOT": Rule(_KNOWN),
    b"SETQUOTA": Rule(_KNOWN),
    b"APPEND": Rule(_KNOWN),
    b"CHECK": Rule(_OPEN),
    b"CLOSE": Rule(_OPEN, after_ok=State.AUTHENTICATED),
    b"UNSELECT": Rule(_OPEN, after_ok=State.AUTHENTICATED),
    b"EXPUNGE": Rule(_OPEN),
    b"SEARCH": Rule(_OPEN),
    b"FETCH": Rule(_OPEN),
    b"STORE": Rule(_OPEN),
    b"COPY": Rule(_OPEN),
    b"MOVE": Rule(_OPEN),
}


def refusal_text(name: bytes, state: State) -> str:
    """Why a command is not allowed in a state, in words for the client."""
    if state is State.NOT_AUTHENTICATED:
        return "log in first"
    return "no mailbox is selected" if RULES[name].allowed is _OPEN else "already logged in"
