"""What the log tells of a mail transaction: the same fields, whatever became of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from twisted.logger import Logger

from ...mail.status import Reply
from .transaction import MailTransaction

if TYPE_CHECKING:
    from .session import SMTPSession

# So many recipients stand in the log by name.
_NAMED_RECIPIENTS = 10

_log = Logger("twisted_mail_node.protocols.smtp.session.SMTPSession")


def log_answers(session: SMTPSession, transaction: MailTransaction, size: int, answers: Sequence[Reply]) -> None:
    """Tell what a whole message was answered with."""
    first = answers[0]
    told = {str(answer): answer for answer in answers} if len(answers) > 1 else (first,)
    # One field to be formatted: this is written for every message.
    fields = _fields(session, transaction)
    _log.info(
        "{event}",
        event=f"message from <{fields['sender'] or ''}> to {fields['to']}: {' | '.join(map(str, told))}",
        size=size,
        status=first.status,
        reply=first,
        **fields,
    )


def log_loss(session: SMTPSession, transaction: MailTransaction) -> None:
    """Tell that the connection ended over a message."""
    _log.info(
        "message from <{sender}> to {to}: the connection ended before it was "
        + ("complete" if transaction.sink is not None else "answered"),
        **_fields(session, transaction),
    )


def _fields(session: SMTPSession, transaction: MailTransaction) -> dict[str, object]:
    peer, recipients = session.client.peer, transaction.recipients
    names = [str(recipient.address) for recipient in recipients[:_NAMED_RECIPIENTS]]
    more = len(recipients) - len(names)
    return {
        "session": peer.session,
        "peer": peer.host,
        "hello": session.client.hello,
        "service": session.settings.service.value,
        "account": session.client.account,
        "sender": transaction.sender,
        "recipients": len(recipients),
        "to": ", ".join(names) + (f" and {more} more" if more else ""),
    }
