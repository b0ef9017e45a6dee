"""LOGOUT. Source: RFC 3501 §6.1.3."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...wire.imap.commands import Logout
from ...wire.imap.responses import ok

if TYPE_CHECKING:
    from .session import IMAPSession


async def answer(session: IMAPSession, command: Logout) -> bytes:
    """Answer LOGOUT; the engine is closed by it, and the driver closes the connection."""
    return session.engine.send(ok("done"), session.engine.speech.bye("until next time"))
