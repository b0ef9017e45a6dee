"""STATUS. Source: RFC 3501 §6.3.10."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ...interfaces.store import IMailbox
from ...mail.changes import MailboxStatus
from ...mail.uid_set import UIDSet
from ...wire.imap.commands import Status, StatusItem
from ...wire.imap.responses import mailbox_status, ok

if TYPE_CHECKING:
    from .session import IMAPSession


async def answer(session: IMAPSession, command: Status) -> bytes:
    """Answer STATUS."""
    mailbox: IMailbox = await session.account.mailbox(session.name(command.mailbox))
    line = await counters(mailbox, command.mailbox, command.items)
    return await session.finish(ok("done"), line)


async def counters(mailbox: IMailbox, name: str, items: Sequence[StatusItem]) -> bytes:
    """The STATUS response of a mailbox, which the client calls `name`."""
    status: MailboxStatus = await mailbox.status()
    values = {
        StatusItem.MESSAGES: status.messages,
        StatusItem.UID_NEXT: status.uid_next,
        StatusItem.UID_VALIDITY: status.uid_validity,
        StatusItem.UNSEEN: status.unseen,
    }
    if StatusItem.RECENT in items:
        newest = UIDSet.span(status.recent_after + 1, status.uid_next - 1)
        values[StatusItem.RECENT] = len((await mailbox.uids()) & newest) if newest and status.messages else 0
    return mailbox_status(name, [(item, values[item]) for item in items])
