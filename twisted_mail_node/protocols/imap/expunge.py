"""EXPUNGE and UID EXPUNGE. Sources: RFC 3501 §6.4.3; RFC 4315 §2.1."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...wire.imap import response_codes as codes
from ...wire.imap.commands import Expunge
from ...wire.imap.responses import no, ok

if TYPE_CHECKING:
    from .session import IMAPSession


async def answer(session: IMAPSession, command: Expunge) -> bytes:
    """Answer EXPUNGE or UID EXPUNGE; what went is told as news."""
    selected = session.mailbox
    if selected.view.read_only:
        return await session.finish(no("the mailbox is selected read-only", codes.READ_ONLY))
    uids = None if command.uids is None else command.uids.resolve_uids(selected.view)
    if uids is None or uids:
        await selected.mailbox.expunge(uids)
        selected.dirty = True
    return await session.finish(ok("expunged"))
