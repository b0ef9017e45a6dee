"""
Which command may come when, and where it leads: one table.

Sources: RFC 5321 §3.1, §3.3, §4.1.4 (order of commands); RFC 3207 §4 (STARTTLS); RFC 4954 §4 (AUTH);
RFC 2033 §4 (LMTP); RFC 3030 §2 (BDAT).
"""

from __future__ import annotations

from enum import Enum, auto

from ...mail.status import Reply
from . import replies
from .commands import Verb


class State(Enum):
    """Where a session stands."""

    NEW = auto()
    """Nothing was said yet; the greeting comes."""
    REFUSED = auto()
    """The greeting was a refusal; only QUIT is left (RFC 5321 §3.1)."""
    STARTED = auto()
    """Greeted by the server; or TLS has just begun."""
    GREETED = auto()
    """The client has said who it is; no transaction."""
    AUTHENTICATING = auto()
    """In an AUTH exchange; lines are responses, not commands."""
    SENDER = auto()
    """MAIL was accepted."""
    RECIPIENT = auto()
    """At least one RCPT was accepted."""
    CONTENT = auto()
    """The message comes."""
    CHUNK = auto()
    """Octets of a chunk come."""
    CHUNKS = auto()
    """A chunk was taken, and was not the last."""
    CLOSED = auto()
    """Over."""

    __hash__ = object.__hash__  # as Verb's


_S, _V = State, Verb

# (state, verb) -> the state after a positive answer. What is missing is out of order.
TRANSITIONS: dict[tuple[State, Verb], State] = {
    (_S.NEW, _V.CONNECT): _S.STARTED,
    (_S.GREETED, _V.MAIL): _S.SENDER,
    (_S.SENDER, _V.RCPT): _S.RECIPIENT,
    (_S.RECIPIENT, _V.RCPT): _S.RECIPIENT,
    (_S.RECIPIENT, _V.DATA): _S.CONTENT,
    (_S.CONTENT, _V.CONTENT): _S.GREETED,
    (_S.RECIPIENT, _V.BDAT): _S.CHUNK,
    (_S.CHUNKS, _V.BDAT): _S.CHUNK,
    (_S.GREETED, _V.STARTTLS): _S.STARTED,
    (_S.GREETED, _V.AUTH): _S.GREETED,
    # Postfix's XCLIENT_README: the session begins anew, XFORWARD_README: not within a mail transaction.
    (_S.GREETED, _V.XCLIENT): _S.STARTED,
    (_S.GREETED, _V.XFORWARD): _S.GREETED,
    (_S.STARTED, _V.RSET): _S.STARTED,
    (_S.GREETED, _V.RSET): _S.GREETED,
    (_S.SENDER, _V.RSET): _S.GREETED,
    (_S.RECIPIENT, _V.RSET): _S.GREETED,
    (_S.CHUNKS, _V.RSET): _S.GREETED,
}
for _state in (_S.STARTED, _S.GREETED, _S.SENDER, _S.RECIPIENT, _S.CHUNKS):
    for _verb in (_V.HELO, _V.EHLO, _V.LHLO):
        TRANSITIONS[_state, _verb] = _S.GREETED  # RFC 5321 §4.1.4: as RSET, in the middle of a transaction too
    for _verb in (_V.NOOP, _V.HELP, _V.VRFY, _V.EXPN, _V.ETRN):
        TRANSITIONS[_state, _verb] = _state  # RFC 5321 §4.1.4: at any time
    TRANSITIONS[_state, _V.QUIT] = _S.CLOSED
TRANSITIONS[_S.REFUSED, _V.QUIT] = _S.CLOSED

# What is said of a command that comes out of order; BAD_SEQUENCE where nothing is said here.
OUT_OF_ORDER: dict[tuple[State, Verb], Reply] = {
    (_S.STARTED, _V.MAIL): replies.HELLO_FIRST,
    (_S.STARTED, _V.RCPT): replies.HELLO_FIRST,
    (_S.STARTED, _V.DATA): replies.HELLO_FIRST,
    (_S.STARTED, _V.STARTTLS): replies.HELLO_FIRST,
    (_S.STARTED, _V.AUTH): replies.HELLO_FIRST,
    (_S.GREETED, _V.RCPT): replies.NEED_MAIL,
    (_S.GREETED, _V.DATA): replies.NEED_MAIL,
    (_S.SENDER, _V.DATA): replies.NEED_RECIPIENT,
    (_S.SENDER, _V.MAIL): replies.NESTED_MAIL,
    (_S.RECIPIENT, _V.MAIL): replies.NESTED_MAIL,
    (_S.SENDER, _V.STARTTLS): replies.NOT_IN_TRANSACTION,
    (_S.RECIPIENT, _V.STARTTLS): replies.NOT_IN_TRANSACTION,
    (_S.SENDER, _V.AUTH): replies.NOT_IN_TRANSACTION,
    (_S.RECIPIENT, _V.AUTH): replies.NOT_IN_TRANSACTION,
    **dict.fromkeys(((_S.STARTED, verb) for verb in (_V.XCLIENT, _V.XFORWARD)), replies.HELLO_FIRST),
    **dict.fromkeys(
        ((state, verb) for state in (_S.SENDER, _S.RECIPIENT, _S.CHUNKS) for verb in (_V.XCLIENT, _V.XFORWARD)),
        replies.NOT_IN_TRANSACTION,
    ),
    **dict.fromkeys(
        ((_S.CHUNKS, verb) for verb in (_V.MAIL, _V.RCPT, _V.DATA, _V.STARTTLS, _V.AUTH)), replies.CHUNKS_ONLY
    ),
}
