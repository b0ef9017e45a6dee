"""MAIL: may this client send as this sender, and so much? Sources: RFC 5321 §4.1.1.2; RFC 1870 §6.1; RFC 4954 §6."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from ...mail.verdict import Accept, Verdict
from ...wire.smtp import replies
from ...wire.smtp.commands import Mail
from ..driver import Answer
from .transaction import MailTransaction

if TYPE_CHECKING:
    from .session import SMTPSession


def answer(session: SMTPSession, event: Mail) -> Answer:
    """Answer MAIL."""
    if not session.patience.message():
        return session.dismiss(replies.TOO_MANY_MESSAGES)
    if session.login is None:
        if session.settings.auth == "required":
            return session.refuse("sender", replies.AUTH_REQUIRED, sender=event.sender)
        return _allowed(session, event, True)
    return session.when(session.login.may_send_as(event.sender), partial(_allowed, session, event))


def _allowed(session: SMTPSession, event: Mail, is_own: bool) -> Answer:
    if not is_own:
        return session.refuse("sender", replies.NOT_YOUR_ADDRESS, sender=event.sender)
    if event.size > session.settings.max_message_size:  # RFC 1870 §6.1
        return session.refuse("sender", replies.MESSAGE_TOO_BIG, sender=event.sender)
    asked = session.policy.sender(session.client, event.sender, event.parameters)
    return session.when(asked, partial(_judged, session, event))


def _judged(session: SMTPSession, event: Mail, verdict: Verdict) -> Answer:
    if not isinstance(verdict, Accept):
        return session.refuse("sender", verdict.as_reply(), sender=event.sender)
    session.transaction = MailTransaction(event, session.clock.seconds())
    return session.engine.send(replies.SENDER_OK)
