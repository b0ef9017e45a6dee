"""AUTHENTICATE: SASL exchanges. Sources: RFC 3501 §6.2.2; RFC 4959."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...wire.imap import response_codes as codes
from ...wire.imap.commands import Authenticate, AuthenticateResponse
from ...wire.imap.responses import bad, no
from ...wire.sasl.outcomes import Challenge, Outcome, Proposed, RefusalReason, Refused
from ...wire.sasl.server import SASLServer, mechanisms
from .login import log_in

if TYPE_CHECKING:
    from .session import IMAPSession


async def answer(session: IMAPSession, command: Authenticate) -> bytes:
    """Answer AUTHENTICATE: begin the exchange."""
    peer = session.peer
    offered = mechanisms(peer.tls, session.authenticator.plaintext_allowed(peer))
    session.sasl = SASLServer(offered)
    return await _go_on(session, session.sasl.start(command.mechanism, command.initial_response))


async def answer_response(session: IMAPSession, command: AuthenticateResponse) -> bytes:
    """Answer a line of the exchange."""
    if command.response is None or session.sasl is None:
        return await _go_on(session, Refused(RefusalReason.CANCELLED))
    return await _go_on(session, session.sasl.step(command.response))


async def _go_on(session: IMAPSession, outcome: Outcome) -> bytes:
    if isinstance(outcome, Challenge):
        return session.engine.challenge(outcome.data)
    session.sasl = None
    if isinstance(outcome, Proposed):
        return await log_in(session, outcome.username, outcome.password)
    text = outcome.reason.value
    match outcome.reason:
        case RefusalReason.MALFORMED | RefusalReason.CANCELLED:
            return await session.finish(bad(text))
        case RefusalReason.OTHER_IDENTITY:
            return await session.finish(no(text, codes.AUTHORIZATION_FAILED))
        case RefusalReason.UNKNOWN_MECHANISM:
            return await session.finish(no(text, codes.CANNOT))
