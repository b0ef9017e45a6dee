"""SUBSCRIBE and UNSUBSCRIBE. Sources: RFC 3501 §6.3.6, §6.3.7."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...wire.imap.commands import Subscribe
from ...wire.imap.responses import ok
from .names import without_last_delimiter

if TYPE_CHECKING:
    from .session import IMAPSession


async def answer(session: IMAPSession, command: Subscribe) -> bytes:
    """Answer SUBSCRIBE or UNSUBSCRIBE; the mailbox need not exist."""
    name = without_last_delimiter(session.name(command.mailbox))
    await session.places.subscribe(name, command.subscribed)
    return await session.finish(ok("done"))
