"""DELETE. Source: RFC 3501 §6.3.4."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...wire.imap.commands import Delete
from ...wire.imap.responses import ok

if TYPE_CHECKING:
    from .session import IMAPSession


async def answer(session: IMAPSession, command: Delete) -> bytes:
    """Answer DELETE. A session that has the mailbox selected, maybe this one, is shown an empty mailbox."""
    await session.account.delete(session.name(command.mailbox))
    return await session.finish(ok("deleted"), ask=True)
