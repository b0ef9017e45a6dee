"""RCPT: does this recipient lead somewhere, and may this client write to it? Source: RFC 5321 §4.1.1.3."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from ...mail.envelope import Recipient
from ...mail.verdict import Accept, Verdict
from ...wire.smtp import replies
from ...wire.smtp.commands import Rcpt
from ..driver import Answer

if TYPE_CHECKING:
    from .session import SMTPSession


def answer(session: SMTPSession, event: Rcpt) -> Answer:
    """Answer RCPT."""
    transaction = session.under_way()
    if len(transaction.recipients) >= session.settings.max_recipients:  # RFC 5321 §4.5.3.1.10
        transaction.refused(event.recipient, replies.TOO_MANY_RECIPIENTS)
        return session.engine.send(replies.TOO_MANY_RECIPIENTS)
    asked = session.policy.recipient(session.client, transaction.sender, event.recipient)
    return session.when(asked, partial(_judged, session, event))


def _judged(session: SMTPSession, event: Rcpt, verdict: Verdict) -> bytes:
    transaction = session.under_way()
    if not isinstance(verdict, Accept):
        refusal = verdict.as_reply()
    elif not _leads_somewhere(verdict.recipient):
        refusal = replies.NO_SUCH_RECIPIENT
    else:
        assert verdict.recipient is not None
        transaction.recipients.append(verdict.recipient)
        return session.engine.send(replies.RECIPIENT_OK)
    if refusal.is_permanent and not session.patience.refused_recipient():
        transaction.refused(event.recipient, refusal)
        return session.dismiss(replies.TOO_MANY_ERRORS, refusal)
    transaction.refused(event.recipient, refusal)
    return session.engine.send(refusal)


def _leads_somewhere(recipient: Recipient | None) -> bool:
    return recipient is not None and bool(recipient.targets or recipient.forwards)
