"""DELETE. Source: RFC 3501 §6.3.4."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...wire.imap import response_codes as codes
from ...wire.imap.commands import Delete
from ...wire.imap.responses import ok, untagged

if TYPE_CHECKING:
    from .session import IMAPSession


async def answer(session: IMAPSession, command: Delete) -> bytes:
    """Answer DELETE. Another session that has the mailbox selected is sent away; this one has none selected then."""
    mailbox = await session.places.delete(session.name(command.mailbox))
    selected = session.selected
    if selected is None or not selected.shows(mailbox):
        return await session.finish(ok("deleted"), ask=True)
    session.selected = None
    session.engine.deselect()
    return await session.finish(ok("deleted"), untagged(ok("the selected mailbox is no more", codes.CLOSED)))
