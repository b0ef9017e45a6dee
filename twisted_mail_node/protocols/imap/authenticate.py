"""AUTHENTICATE: SASL exchanges. Sources: RFC 3501 §6.2.2; RFC 4959."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...wire.imap import response_codes as codes
from ...wire.imap.commands import Authenticate, AuthenticateResponse
from ...wire.imap.responses import bad, no
from ...wire.sasl.outcomes import Challenge, RefusalReason, Refused
from ..sasl import Exchange, Step
from .login import begin

if TYPE_CHECKING:
    from .session import IMAPSession


async def answer(session: IMAPSession, command: Authenticate) -> bytes:
    """Answer AUTHENTICATE: begin the exchange."""
    session.exchange = exchange = Exchange(session.authenticator, session.peer, session.driver.transport)
    return await _said(session, await exchange.start(command.mechanism, command.initial_response))


async def answer_response(session: IMAPSession, command: AuthenticateResponse) -> bytes:
    """Answer a line of the exchange."""
    if command.response is None or session.exchange is None:
        return await _said(session, Refused(RefusalReason.CANCELLED))
    return await _said(session, await session.exchange.step(command.response))


async def _said(session: IMAPSession, step: Step) -> bytes:
    if isinstance(step, Challenge):
        return session.engine.challenge(step.data)
    session.exchange = None
    if not isinstance(step, Refused):
        return await begin(session, step.login)
    text = step.reason.value
    match step.reason:
        case RefusalReason.MALFORMED | RefusalReason.CANCELLED:
            return await session.refuse_login(bad(text))
        case RefusalReason.OTHER_IDENTITY:
            return await session.refuse_login(no(text, codes.AUTHORIZATION_FAILED))
        case RefusalReason.BINDING | RefusalReason.DENIED:
            return await session.refuse_login(no(text, codes.AUTHENTICATION_FAILED))
        case RefusalReason.NEEDS_TLS:
            return await session.refuse_login(no(text, codes.PRIVACY_REQUIRED))
        case RefusalReason.UNKNOWN_MECHANISM:
            return await session.refuse_login(no(text, codes.CANNOT))
