"""ID. Source: RFC 2971 §3."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.logger import Logger

from ...wire.imap.commands import Id
from ...wire.imap.responses import identity, ok

if TYPE_CHECKING:
    from .session import IMAPSession


_log = Logger()


async def answer(session: IMAPSession, command: Id) -> bytes:
    """Answer ID; what the client says of itself goes to the log."""
    if command.fields:
        _log.debug("the client is {fields}", fields=command.fields, session=session.peer.session)
    settings = session.settings
    fields = [("name", settings.name)]
    if settings.version:
        fields.append(("version", settings.version))
    return await session.finish(ok("done"), identity(fields))
