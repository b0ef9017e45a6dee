"""VRFY and EXPN: what policy lets be told of addresses. Sources: RFC 5321 §3.5, §7.3; RFC 6531 §3.7.4.2."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from ...mail.envelope import Recipient
from ...mail.status import reply
from ...mail.verdict import Accept, Verdict
from ...wire.smtp import replies
from ...wire.smtp.commands import Expn, Vrfy
from ..driver import Answer

if TYPE_CHECKING:
    from .session import SMTPSession

# Our own choice: who leads to more than so many is told in part.
_MOST_LINES = 1000


def answer_vrfy(session: SMTPSession, event: Vrfy) -> Answer:
    """Answer VRFY."""
    return session.when(session.policy.verify(session.client, event.text), partial(_judged, session, event))


def answer_expn(session: SMTPSession, event: Expn) -> Answer:
    """Answer EXPN."""
    return session.when(session.policy.expand(session.client, event.text), partial(_judged, session, event))


def _judged(session: SMTPSession, event: Vrfy | Expn, verdict: Verdict) -> Answer:
    if not isinstance(verdict, Accept):
        refusal = verdict.as_reply()
        return session.mistaken(refusal) if refusal.is_permanent else session.engine.send(refusal)
    if verdict.recipient is None:
        return session.engine.send(replies.CANNOT_VERIFY)
    recipient = verdict.recipient
    lines = _members(recipient) if isinstance(event, Expn) else [f"<{recipient.address}>"]
    if not event.smtputf8 and not all(line.isascii() for line in lines):
        return session.engine.send(replies.CANNOT_SAY)
    return session.engine.send(reply(250, "2.1.5", *lines[:_MOST_LINES]), utf8=event.smtputf8)


def _members(recipient: Recipient) -> list[str]:
    accounts = [f"<{target.account}>" for target in recipient.targets]
    return accounts + [f"<{forward}>" for forward in recipient.forwards]
