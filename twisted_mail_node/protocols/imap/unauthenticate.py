"""UNAUTHENTICATE. Source: RFC 8437 §3, §4."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...wire.imap.commands import Unauthenticate
from ...wire.imap.responses import bad, ok

if TYPE_CHECKING:
    from .session import IMAPSession


async def answer(session: IMAPSession, command: Unauthenticate) -> bytes | None:
    """Answer UNAUTHENTICATE: all is as before the login, but TLS, which stays."""
    if not session.settings.unauthenticate:
        return await session.finish(bad("not offered here"))
    session.log_out()
    # The OK still goes out compressed where the client has asked for that, and is the last that does (§4.1).
    session.driver.write(session.engine.send(ok("no longer logged in")))
    session.driver.encode(None)
    session.deflater = None
    return None
