"""
MAIL: may this client send as this sender, and so much? What else it asks for is put into times of the clock here.

Sources: RFC 5321 §4.1.1.2; RFC 1870 §6.1; RFC 4954 §6.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from ...mail.options import DeliverBy
from ...mail.status import Reply, reply
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
    if event.parameters:
        now = session.clock.seconds()
        event = _in_time(event, now)
        held_until = event.options.hold_until
        if held_until is not None and held_until > now + session.settings.max_hold_seconds:  # RFC 4865 §4
            return session.refuse("sender", replies.HELD_TOO_LONG, sender=event.sender)
    asked = session.policy.sender(session.client, event.sender, event.parameters)
    return session.when(asked, partial(_judged, session, event))


def _judged(session: SMTPSession, event: Mail, verdict: Verdict) -> Answer:
    if not isinstance(verdict, Accept):
        return session.refuse("sender", verdict.as_reply(), sender=event.sender)
    answer = replies.SENDER_OK
    if event.options.priority > 0 and session.client.account is None and not session.is_lmtp:
        # RFC 6710 §4.1: a high priority is for those whom we know.
        event, answer = replace(event, options=replace(event.options, priority=0)), _NEW_PRIORITY
    session.transaction = MailTransaction(event, session.clock.seconds())
    return session.engine.send(answer)


_NEW_PRIORITY: Reply = reply(250, "2.3.6", "0 is the new priority")


def _in_time(event: Mail, now: float) -> Mail:
    """The same with what depends on the time of day among its options."""
    if event.hold_for is None and event.by is None:
        return event
    options, by = event.options, event.by
    if event.hold_for is not None:
        options = replace(options, hold_until=now + event.hold_for)
    if by is not None:
        options = replace(options, deliver_by=DeliverBy(now + by.seconds, by.mode, by.trace))
    return replace(event, options=options)
