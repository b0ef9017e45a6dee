"""LOGIN, and what every successful login ends with. Source: RFC 3501 §6.2.3."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...wire.imap import response_codes as codes
from ...wire.imap.commands import Login
from ...wire.imap.responses import no, ok
from .capability import AFTER_LOGIN

if TYPE_CHECKING:
    from .session import IMAPSession


async def answer(session: IMAPSession, command: Login) -> bytes:
    """Answer LOGIN."""
    if not session.authenticator.plaintext_allowed(session.peer):
        return await session.finish(no("no passwords without TLS", codes.PRIVACY_REQUIRED))
    return await log_in(session, command.user, command.password)


async def log_in(session: IMAPSession, user: str, password: str) -> bytes:
    """Check the password and end the command. Fails as Authenticator.login."""
    await session.log_in(await session.authenticator.login(session.peer, user, password))
    return session.engine.send(ok("logged in", codes.capability(AFTER_LOGIN)))
