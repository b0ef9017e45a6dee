"""VRFY. Source: RFC 5321 §3.5, §7.3."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from ...mail.status import reply
from ...mail.verdict import Accept, Verdict
from ...wire.smtp import replies
from ...wire.smtp.commands import Vrfy
from ..driver import Answer

if TYPE_CHECKING:
    from .session import SMTPSession


def answer(session: SMTPSession, event: Vrfy) -> Answer:
    """Answer VRFY."""
    return session.when(session.policy.verify(session.client, event.text), partial(_judged, session))


def _judged(session: SMTPSession, verdict: Verdict) -> bytes:
    if not isinstance(verdict, Accept):
        return session.engine.send(verdict.as_reply())
    if verdict.recipient is None:
        return session.engine.send(replies.CANNOT_VERIFY)
    return session.engine.send(reply(250, "2.1.5", f"<{verdict.recipient.address}>"))
