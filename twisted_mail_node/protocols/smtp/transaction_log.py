"""
What the log tells of a mail transaction: one event each, with the same fields, whatever became of it.

docs/operating.md has the fields as a table. Neighbours: `session` and the commands' files say how it ended.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import TYPE_CHECKING

from twisted.logger import Logger

from ...mail.status import Reply
from .transaction import MailTransaction

if TYPE_CHECKING:
    from .session import SMTPSession

# So many recipients, and refusals of recipients, stand in the text; the fields have all that are kept.
_NAMED_RECIPIENTS = 10

_log = Logger("twisted_mail_node.protocols.smtp.session.SMTPSession")


class Outcome(StrEnum):
    """What became of a transaction."""

    ACCEPTED = "accepted"
    PARTLY_ACCEPTED = "partly accepted"
    """LMTP: some recipients have it, others do not."""
    DEFERRED = "deferred"
    REFUSED = "refused"
    RESET = "reset"
    """The client gave it up: RSET, a new HELO or EHLO, QUIT."""
    LOST = "lost"
    TIMED_OUT = "timed out"
    SHUT_DOWN = "shut down"


_ENDINGS = {
    Outcome.RESET: "given up by the client",
    Outcome.TIMED_OUT: "the client took too long",
    Outcome.SHUT_DOWN: "the node stopped",
}


def log_answers(session: SMTPSession, transaction: MailTransaction, answers: Sequence[Reply]) -> None:
    """Tell what a whole message was answered with."""
    told = {str(answer): answer for answer in answers} if len(answers) > 1 else (answers[0],)
    _tell(session, transaction, _outcome_of(answers), answers[0], " | ".join(map(str, told)))


def log_end(session: SMTPSession, transaction: MailTransaction, outcome: Outcome, reply: Reply | None) -> None:
    """
    Tell that a transaction ended before its message was answered.

    `reply` is what ended it, if it was a reply. Where no recipient was accepted and some were refused, it is their
    refusal that ended it, whatever the client did then.
    """
    if transaction.refusals and not transaction.recipients and outcome in (Outcome.RESET, Outcome.LOST):
        reply = transaction.refusals[-1][1]
        outcome = Outcome.REFUSED if reply.is_permanent else Outcome.DEFERRED
    if reply is not None:
        ending = str(reply)
    elif outcome is Outcome.LOST:
        ending = f"the connection ended before it was {'answered' if transaction.is_complete else 'complete'}"
    else:
        ending = _ENDINGS[outcome]
    _tell(session, transaction, outcome, reply, ending)


def _outcome_of(answers: Sequence[Reply]) -> Outcome:
    if len(answers) == 1 and answers[0].is_positive:
        return Outcome.ACCEPTED  # nearly always
    if all(answer.is_positive for answer in answers):
        return Outcome.ACCEPTED
    if any(answer.is_positive for answer in answers):
        return Outcome.PARTLY_ACCEPTED
    return Outcome.REFUSED if all(answer.is_permanent for answer in answers) else Outcome.DEFERRED


def _tell(
    session: SMTPSession, transaction: MailTransaction, outcome: Outcome, reply: Reply | None, ending: str
) -> None:
    client, mail = session.client, transaction.mail
    peer = client.peer
    sender, to = mail.sender, _names(transaction)
    refused = f" (refused: {_refusals(transaction)})" if transaction.refusals else ""
    # One field to be formatted: this is written for every message.
    _log.info(
        "{event}",
        event=f"message from <{sender or ''}> to {to}{refused}: {ending}",
        session=peer.session,
        queue_id=transaction.queue_id,
        peer=peer.host,
        tls=peer.tls_version,
        peer_name=peer.name,
        hello=client.hello,
        forwarded=client.forwarded,
        service=client.service.value,
        account=client.account,
        sender=sender,
        to=to,
        recipients=len(transaction.recipients),
        accepted=tuple([recipient.address for recipient in transaction.recipients]),
        refused=tuple(transaction.refusals),
        refused_recipients=transaction.refusal_count,
        size=transaction.size,
        body=mail.body_type.value,
        smtputf8=mail.options.smtputf8,
        envelope_id=mail.options.envelope_id,
        outcome=outcome,
        status=None if reply is None else reply.status,
        reply=reply,
        seconds=session.clock.seconds() - transaction.began,
    )


def _names(transaction: MailTransaction) -> str:
    recipients = transaction.recipients
    if len(recipients) == 1:
        return str(recipients[0].address)
    names = [str(recipient.address) for recipient in recipients[:_NAMED_RECIPIENTS]]
    more = len(recipients) - len(names)
    return (", ".join(names) + (f" and {more} more" if more else "")) or "nobody"


def _refusals(transaction: MailTransaction) -> str:
    named = [f"{address}: {reply}" for address, reply in transaction.refusals[:_NAMED_RECIPIENTS]]
    more = transaction.refusal_count - len(named)
    return "; ".join(named) + (f"; and {more} more" if more else "")
