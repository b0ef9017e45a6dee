"""
STATUS. Sources: RFC 3501 §6.3.10; RFC 7162 §3.1.7 (HIGHESTMODSEQ); RFC 7889 §4 (APPENDLIMIT); RFC 8438 §3 (SIZE);
RFC 9051 §6.3.11 (DELETED); RFC 9208 §4.1.4 (DELETED-STORAGE).

A new item is a line in `COUNTED`, where the counters of the mailbox tell it, or in `ASKED`, where the store has to be
asked for more.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from typing import TYPE_CHECKING, Any

from ...interfaces.store import IMailbox
from ...mail.changes import MailboxStatus
from ...mail.rights import Right
from ...mail.uid_set import UIDSet
from ...wire.imap.commands import Status, StatusItem
from ...wire.imap.responses import StatusValue, mailbox_status, ok
from .quota import deleted_storage

if TYPE_CHECKING:
    from .session import IMAPSession

Counted = Callable[[MailboxStatus], StatusValue]
# Any: how a coroutine is driven is nobody's concern here.
Asked = Callable[["IMAPSession", IMailbox, MailboxStatus], Coroutine[Any, Any, StatusValue]]


async def _recent(session: IMAPSession, mailbox: IMailbox, status: MailboxStatus) -> int:
    newest = UIDSet.span(status.recent_after + 1, status.uid_next - 1)
    if not newest or not status.messages:
        return 0
    return len((await mailbox.uids()) & newest)


async def _append_limit(session: IMAPSession, mailbox: IMailbox, status: MailboxStatus) -> int:
    return session.settings.max_message_octets


COUNTED: dict[StatusItem, Counted] = {
    StatusItem.MESSAGES: lambda status: status.messages,
    StatusItem.UID_NEXT: lambda status: status.uid_next,
    StatusItem.UID_VALIDITY: lambda status: status.uid_validity,
    StatusItem.UNSEEN: lambda status: status.unseen,
    StatusItem.HIGHEST_MODSEQ: lambda status: status.highest_modseq,
    StatusItem.SIZE: lambda status: status.size,
    StatusItem.DELETED: lambda status: status.deleted,
}
ASKED: dict[StatusItem, Asked] = {
    StatusItem.RECENT: _recent,
    StatusItem.DELETED_STORAGE: deleted_storage,
    StatusItem.APPEND_LIMIT: _append_limit,
}


async def answer(session: IMAPSession, command: Status) -> bytes:
    """Answer STATUS."""
    await session.enable_condstore(StatusItem.HIGHEST_MODSEQ in command.items)
    mailbox = await session.places.mailbox(session.name(command.mailbox), Right.READ)
    line = await counters(session, mailbox, session.engine.spelling.mailbox(command.mailbox), command.items)
    return await session.finish(ok("done"), line)


async def counters(session: IMAPSession, mailbox: IMailbox, name: bytes, items: Sequence[StatusItem]) -> bytes:
    """The STATUS response of a mailbox whose name is spelled `name`."""
    status: MailboxStatus = await mailbox.status()
    values = [
        (item, COUNTED[item](status) if item in COUNTED else await ASKED[item](session, mailbox, status))
        for item in items
    ]
    return mailbox_status(name, values)
