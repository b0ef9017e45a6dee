"""
RCPT: does this recipient lead somewhere, and may this client write to it? Sources: RFC 5321 §4.1.1.3; RFC 6531 §3.5.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from ...mail.address import Address
from ...mail.envelope import Recipient
from ...mail.options import NO_RECIPIENT_OPTIONS
from ...mail.status import Reply
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
        return _refused(session, event, replies.TOO_MANY_RECIPIENTS)
    if _is_one_domain_more(session, event.recipient):
        return _refused(session, event, replies.TOO_MANY_RECIPIENT_DOMAINS)
    if event.is_beyond_ascii and not transaction.mail.options.smtputf8:
        return _refused(session, event, replies.NON_ASCII_ADDRESS)
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
        recipient = verdict.recipient
        if event.options is not NO_RECIPIENT_OPTIONS:
            recipient = replace(recipient, options=event.options)
        transaction.recipients.append(recipient)
        return session.engine.send(replies.RECIPIENT_OK)
    return _refused(session, event, refusal)


def _refused(session: SMTPSession, event: Rcpt, refusal: Reply) -> bytes:
    session.under_way().refused(event.recipient, refusal)
    if refusal.is_permanent and not session.patience.refused_recipient():
        return session.dismiss(replies.TOO_MANY_ERRORS, refusal)
    return session.engine.send(refusal)


def _is_one_domain_more(session: SMTPSession, recipient: Address) -> bool:
    limit = session.settings.max_recipient_domains
    if not limit:
        return False
    domains = {accepted.address.domain for accepted in session.under_way().recipients}
    return len(domains) >= limit and recipient.domain not in domains


def _leads_somewhere(recipient: Recipient | None) -> bool:
    return recipient is not None and bool(recipient.targets or recipient.forwards)
