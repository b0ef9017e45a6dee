"""
How the queue's table has what a client asked for: a column for each wish, in the order of COLUMNS.

Nearly no message asks for anything, so both ways are short for those. Neighbours: `deliveries` writes, `queue` reads.
"""

from __future__ import annotations

from typing import Any

from ...mail.options import (
    NO_MAIL_OPTIONS,
    NO_RECIPIENT_OPTIONS,
    ByMode,
    DeliverBy,
    MailOptions,
    Notify,
    RecipientOptions,
    Return,
)
from .connection import Value

COLUMNS = (
    "smtputf8",
    "ret",
    "envelope_id",
    "require_tls",
    "hold_until",
    "deliver_by",
    "by_mode",
    "by_trace",
    "priority",
    "submitter",
    "notify",
    "original",
)

_NOTHING: tuple[Value, ...] = (0, None, None, 0, None, None, None, 0, 0, None, None, None)


def written(mail: MailOptions, recipient: RecipientOptions) -> tuple[Value, ...]:
    """The columns' values."""
    if mail == NO_MAIL_OPTIONS and recipient == NO_RECIPIENT_OPTIONS:
        return _NOTHING
    by = mail.deliver_by
    return (
        int(mail.smtputf8),
        mail.ret.value if mail.ret else None,
        mail.envelope_id,
        int(mail.require_tls),
        mail.hold_until,
        by.deadline if by else None,
        by.mode.value if by else None,
        int(by.trace) if by else 0,
        mail.priority,
        mail.submitter,
        None if recipient.notify is None else recipient.notify.value,
        recipient.original,
    )


# Any: the schema is strict, so the types are what they were when written.
def read(row: tuple[Any, ...]) -> tuple[MailOptions, RecipientOptions]:
    """What was asked for, out of the columns' values."""
    if row == _NOTHING:
        return NO_MAIL_OPTIONS, NO_RECIPIENT_OPTIONS
    utf8, ret, envelope_id, tls, hold, deadline, by_mode, by_trace, priority, submitter, notify, original = row
    mail = MailOptions(
        smtputf8=bool(utf8),
        ret=Return(ret) if ret else None,
        envelope_id=envelope_id,
        require_tls=bool(tls),
        hold_until=hold,
        deliver_by=None if deadline is None else DeliverBy(deadline, ByMode(by_mode), bool(by_trace)),
        priority=priority,
        submitter=submitter,
    )
    return mail, RecipientOptions(notify=None if notify is None else Notify(notify), original=original)
