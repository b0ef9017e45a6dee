"""STARTTLS. Source: RFC 3501 §6.2.1."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...wire.imap.commands import StartTLS
from ...wire.imap.responses import bad

if TYPE_CHECKING:
    from .session import IMAPSession


async def answer(session: IMAPSession, command: StartTLS) -> bytes | None:
    """Answer STARTTLS and begin the handshake behind the OK."""
    if session.tls_context is None or session.peer.tls:
        return await session.finish(bad("TLS cannot be started here"))
    session.driver.write(session.engine.start_tls())
    session.driver.start_tls(session.tls_context)
    return None
