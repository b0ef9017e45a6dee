"""AUTH: a SASL exchange, and what it comes to as SMTP's replies. Source: RFC 4954 §4, §6."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import replace
from typing import TYPE_CHECKING

from twisted.internet.defer import CancelledError

from ...mail.errors import MailError
from ...mail.status import Reply
from ...wire.sasl.outcomes import Challenge, RefusalReason, Refused
from ...wire.smtp import replies
from ...wire.smtp.commands import Auth, AuthLine
from ..login import LoginRefused
from ..sasl import Exchange, LoggedIn, Step

if TYPE_CHECKING:
    from .session import SMTPSession

_REFUSALS: dict[RefusalReason, Reply] = {
    RefusalReason.UNKNOWN_MECHANISM: replies.UNKNOWN_MECHANISM,
    RefusalReason.NEEDS_TLS: replies.TLS_REQUIRED_FOR_AUTH,
    RefusalReason.MALFORMED: replies.BAD_BASE64,
    RefusalReason.CANCELLED: replies.AUTH_CANCELLED,
    RefusalReason.OTHER_IDENTITY: replies.AUTH_FAILED,
    RefusalReason.BINDING: replies.AUTH_FAILED,
    RefusalReason.DENIED: replies.AUTH_FAILED,
}


async def answer(session: SMTPSession, event: Auth) -> bytes:
    """Answer AUTH: begin the exchange."""
    assert session.authenticator is not None, "the engine knows AUTH where it is offered only"
    session.exchange = exchange = Exchange(session.authenticator, session.client.peer, session.driver.transport)
    return _exchanged(session, await _refused_or(exchange.start_line(event.mechanism, event.initial)))


async def answer_line(session: SMTPSession, event: AuthLine) -> bytes:
    """Answer a line of the exchange."""
    assert session.exchange is not None, "the engine reads such lines within an exchange only"
    return _exchanged(session, await _refused_or(session.exchange.step_line(event.line)))


def _exchanged(session: SMTPSession, said: Challenge | LoggedIn | Reply) -> bytes:
    if isinstance(said, Challenge):
        return session.engine.challenge(said.wire)
    session.exchange = None
    if isinstance(said, Reply):
        return session.mistaken_at_once(said) if said.is_permanent else session.engine.send(said)
    session.login = said.login
    session.client = replace(session.client, account=said.login.name)
    return session.engine.send(replies.AUTHENTICATED)


async def _refused_or(step: Awaitable[Step]) -> Challenge | LoggedIn | Reply:
    """What the step came to, with the reply in place of a refusal or a failure."""
    try:
        said = await step
    except CancelledError:
        raise
    except LoginRefused:
        return replies.AUTH_FAILED
    except MailError:
        return replies.AUTH_TEMPORARY
    return _REFUSALS[said.reason] if isinstance(said, Refused) else said
