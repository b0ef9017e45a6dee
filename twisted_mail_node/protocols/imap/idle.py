"""IDLE: news as they come. Source: RFC 2177 §3."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...wire.imap.commands import Done, Idle
from ...wire.imap.responses import ok

if TYPE_CHECKING:
    from .session import IMAPSession


async def answer(session: IMAPSession, command: Idle) -> bytes:
    """Answer IDLE: what has happened so far, then the session tells what its store notices."""
    news = b"" if session.selected is None else await session.selected.news(may_expunge=True, ask=True)
    return session.engine.start_idling() + news


async def answer_done(session: IMAPSession, command: Done) -> bytes:
    """Answer DONE."""
    return await session.finish(ok("no longer idle"))
