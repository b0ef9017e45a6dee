"""ENABLE. Source: RFC 5161 §3."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...wire.imap.commands import Enable
from ...wire.imap.responses import enabled, ok

if TYPE_CHECKING:
    from .session import IMAPSession


async def answer(session: IMAPSession, command: Enable) -> bytes:
    """Answer ENABLE: nothing that is offered needs enabling yet."""
    return await session.finish(ok("done"), enabled(()))
