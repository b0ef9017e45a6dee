"""IDLE: news as they come. Source: RFC 2177 §3."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...wire.imap.commands import Done, Idle
from ...wire.imap.responses import ok

if TYPE_CHECKING:
    from .session import IMAPSession


async def answer(session: IMAPSession, command: Idle) -> bytes | None:
    """Answer IDLE: what has happened so far is told as what will happen is."""
    session.driver.write(session.engine.start_idling())
    session.push_news()
    if session.deflater is not None:
        session.deflater.forget()  # who idles is told little, and many do
    return None


async def answer_done(session: IMAPSession, command: Done) -> bytes:
    """Answer DONE."""
    return await session.finish(ok("no longer idle"))
