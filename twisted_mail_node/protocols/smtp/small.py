"""What costs nothing: RSET, NOOP, QUIT, and what was not understood. Source: RFC 5321 §4.1.1.5 to §4.1.1.10."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...wire.smtp import replies
from ...wire.smtp.commands import Mistake, Noop, Quit, Rset
from ..driver import Answer

if TYPE_CHECKING:
    from .session import SMTPSession


def answer_rset(session: SMTPSession, event: Rset) -> Answer:
    """Answer RSET."""
    session.end_transaction()
    return session.engine.send(replies.OK)


def answer_noop(session: SMTPSession, event: Noop) -> Answer:
    """Answer NOOP."""
    return session.engine.send(replies.OK)


def answer_quit(session: SMTPSession, event: Quit) -> Answer:
    """Answer QUIT."""
    session.end_transaction()
    return session.engine.send(replies.BYE)


def answer_mistake(session: SMTPSession, event: Mistake) -> Answer:
    """Say what the standard says of it."""
    return session.mistaken(event.reply)
