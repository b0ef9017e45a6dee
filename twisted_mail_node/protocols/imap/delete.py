"""DELETE. Sources: RFC 3501 §6.3.4; RFC 9051 §6.3.5 (HASCHILDREN)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...mail.errors import NoSuchMailbox
from ...wire.imap import response_codes as codes
from ...wire.imap.commands import Delete
from ...wire.imap.responses import ok
from .failures import completion_of
from .old_name import has_children, told_otherwise

if TYPE_CHECKING:
    from .session import IMAPSession


async def answer(session: IMAPSession, command: Delete) -> bytes:
    """Answer DELETE. Another session that has the mailbox selected is sent away; this one has none selected then."""
    try:
        mailbox = await session.places.delete(session.name(command.mailbox))
    except NoSuchMailbox as error:
        code = codes.HAS_CHILDREN if await has_children(session, command.mailbox) else codes.NONEXISTENT
        return await session.finish(completion_of(error, missing=code))
    told = await told_otherwise(session, command.mailbox)
    selected = session.selected
    if selected is None or not selected.shows(mailbox):
        return await session.finish(ok("deleted"), told, ask=True)
    session.selected = None
    session.engine.deselect()
    closed = session.engine.speech.untagged(ok("the selected mailbox is no more", codes.CLOSED))
    return await session.finish(ok("deleted"), told + closed)
