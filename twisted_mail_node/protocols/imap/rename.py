"""RENAME. Source: RFC 3501 §6.3.5."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...wire.imap.commands import Rename
from ...wire.imap.responses import ok
from .names import without_last_delimiter

if TYPE_CHECKING:
    from .session import IMAPSession


async def answer(session: IMAPSession, command: Rename) -> bytes:
    """Answer RENAME. Of INBOX the messages move, which its sessions are told as EXPUNGE."""
    new_name = without_last_delimiter(session.name(command.new_name))
    await session.places.rename(session.name(command.mailbox), new_name)
    return await session.finish(ok("renamed"), ask=True)
