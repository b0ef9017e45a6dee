"""NOOP and CHECK: the news, asked for. Sources: RFC 3501 §6.1.2, §6.4.1."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...wire.imap.commands import Check, Noop
from ...wire.imap.responses import ok

if TYPE_CHECKING:
    from .session import IMAPSession


async def answer(session: IMAPSession, command: Noop | Check) -> bytes:
    """Answer NOOP or CHECK: everything is durable already, so both only tell what has changed."""
    return await session.finish(ok("done"), ask=True)
