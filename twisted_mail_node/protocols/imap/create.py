"""CREATE. Sources: RFC 3501 §6.3.3; RFC 6154 §3; RFC 9051 §6.3.4."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...mail.errors import PermanentFailure
from ...mail.special_use import checked_use
from ...wire.imap import response_codes as codes
from ...wire.imap.commands import Create
from ...wire.imap.responses import no, ok
from .names import without_last_delimiter
from .old_name import told_otherwise

if TYPE_CHECKING:
    from .session import IMAPSession


async def answer(session: IMAPSession, command: Create) -> bytes:
    """Answer CREATE. Parents that are missing come into being with it."""
    use = None
    if command.special_use:
        try:
            if len(command.special_use) > 1:
                raise PermanentFailure("a mailbox has one special use at most")
            use = checked_use(command.special_use[0])
        except PermanentFailure as error:
            return await session.finish(no(error.text, codes.USE_ATTRIBUTE))
    name = without_last_delimiter(session.name(command.mailbox))
    await session.places.create(name, use)
    return await session.finish(ok("created"), await told_otherwise(session, session.name(name)))
