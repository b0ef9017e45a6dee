"""LOGIN, and what every successful login ends with. Source: RFC 3501 §6.2.3."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...interfaces.auth import ILogin
from ...wire.imap import response_codes as codes
from ...wire.imap.commands import Login
from ...wire.imap.responses import no, ok
from .capability import after_login

if TYPE_CHECKING:
    from .session import IMAPSession


async def answer(session: IMAPSession, command: Login) -> bytes:
    """Answer LOGIN."""
    if not session.authenticator.plaintext_allowed(session.peer):
        return await session.finish(no("no passwords without TLS", codes.PRIVACY_REQUIRED))
    if not session.authenticator.passwords_allowed(session.peer):
        return await session.finish(no("log in by AUTHENTICATE", codes.CANNOT))
    return await begin(session, await session.authenticator.login(session.peer, command.user, command.password))


async def begin(session: IMAPSession, login: ILogin) -> bytes:
    """The client has proved who it is: end the command. Fails as IMAPSession.log_in."""
    await session.log_in(login)
    return session.engine.send(ok("logged in", codes.capability(after_login(session))))
