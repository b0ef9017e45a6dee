"""What costs nothing: RSET, NOOP, HELP, QUIT, and what was not understood. Source: RFC 5321 §4.1.1.5 to §4.1.1.10."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...mail.status import reply
from ...wire.smtp import replies
from ...wire.smtp.commands import Help, Mistake, Noop, Quit, Rset
from ...wire.smtp.grammar import VERBS
from ..driver import Answer

if TYPE_CHECKING:
    from .session import SMTPSession

_KNOWN = sorted(verb.decode() for verb in VERBS if verb not in (b"EXPN", b"LHLO"))
_HELP = reply(214, "2.0.0", "known here: " + " ".join(_KNOWN), "see RFC 5321")


def answer_rset(session: SMTPSession, event: Rset) -> Answer:
    """Answer RSET."""
    session.end_transaction()
    return session.engine.send(replies.OK)


def answer_noop(session: SMTPSession, event: Noop) -> Answer:
    """Answer NOOP."""
    return session.engine.send(replies.OK)


def answer_help(session: SMTPSession, event: Help) -> Answer:
    """Answer HELP."""
    return session.engine.send(_HELP)


def answer_quit(session: SMTPSession, event: Quit) -> Answer:
    """Answer QUIT."""
    session.end_transaction()
    return session.engine.send(replies.BYE)


def answer_mistake(session: SMTPSession, event: Mistake) -> Answer:
    """Say what the standard says of it."""
    return session.mistaken(event.reply)
