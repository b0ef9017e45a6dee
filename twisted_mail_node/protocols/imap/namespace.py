"""NAMESPACE. Source: RFC 2342 §5."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...wire.imap.commands import Namespace
from ...wire.imap.responses import namespace, ok

if TYPE_CHECKING:
    from .session import IMAPSession


async def answer(session: IMAPSession, command: Namespace) -> bytes:
    """Answer NAMESPACE: all mailboxes are the account's own, without a prefix."""
    return await session.finish(
        ok("done"), namespace([(session.engine.spelling.prefix(""), session.settings.delimiter)])
    )
