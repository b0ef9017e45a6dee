"""RENAME. Sources: RFC 3501 §6.3.5; RFC 9051 §6.3.6."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...wire.imap.commands import Rename
from ...wire.imap.responses import ok
from .names import without_last_delimiter
from .old_name import told_otherwise

if TYPE_CHECKING:
    from .session import IMAPSession


async def answer(session: IMAPSession, command: Rename) -> bytes:
    """Answer RENAME. Of INBOX the messages move, which its sessions are told as EXPUNGE."""
    new_name = without_last_delimiter(session.name(command.new_name))
    await session.places.rename(session.name(command.mailbox), new_name)
    told = await told_otherwise(session, command.mailbox, session.name(new_name))
    return await session.finish(ok("renamed"), told, ask=True)
