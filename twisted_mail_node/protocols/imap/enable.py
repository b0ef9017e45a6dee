"""ENABLE. Sources: RFC 5161 §3.1, §3.2; RFC 7162 §3.1, §3.2.3."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...wire.imap.commands import Enable
from ...wire.imap.enabled import Extension, named
from ...wire.imap.responses import enabled, ok
from .capability import capabilities

if TYPE_CHECKING:
    from .session import IMAPSession


async def answer(session: IMAPSession, command: Enable) -> bytes:
    """Answer ENABLE: what is offered and was not enabled before is, and is told; all else is passed over."""
    engine = session.engine
    offered = capabilities(session)
    new = [each for each in named(command.capabilities) if each.value in offered and each not in engine.enabled]
    told = session.enable(new)
    if Extension.METADATA in engine.enabled:
        await session.annotations.watch(session)
    return await session.finish(ok("done"), enabled([each.value for each in new]) + told)
