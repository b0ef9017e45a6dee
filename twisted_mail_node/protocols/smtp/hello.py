"""
The greeting, and HELO, EHLO and LHLO: who the client says it is, and what it can have.

Sources: RFC 5321 §3.1, §4.1.1.1; RFC 2033 §4.1.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from ...mail.envelope import Client
from ...mail.status import Reply
from ...mail.verdict import Accept, Defer, Reject, Verdict
from ...wire.smtp import replies
from ...wire.smtp.commands import Connected, Hello, Verb
from ...wire.smtp.extensions import hello_reply
from ..driver import Answer
from ..peer import peer_of

if TYPE_CHECKING:
    from .session import SMTPSession


def greet(session: SMTPSession, event: Connected) -> Answer:
    """Greet, or send away."""
    return session.when(session.policy.connected(session.client), partial(_connection_judged, session))


def _connection_judged(session: SMTPSession, verdict: Verdict) -> Answer:
    if not isinstance(verdict, Accept):
        return _sent_away(session, refusal_of(verdict))
    if session.settings.greeting_delay_seconds and not session.patience.is_exempt:
        return _greeted_late(session)
    return _greeted(session)


def refusal_of(verdict: Defer | Reject) -> Reply:
    """Of a connection: a greeting is 220, 554 or 421 (RFC 5321 §3.1)."""
    return replace(verdict.as_reply(), code=421 if isinstance(verdict, Defer) else 554)


def name_of(session: SMTPSession) -> str:
    """What is spoken here. Source: RFC 5321 §4.3.1; RFC 2033 §4.1."""
    return "LMTP" if session.is_lmtp else "ESMTP"


async def _greeted_late(session: SMTPSession) -> bytes:
    """Who speaks before the greeting (RFC 5321 §3.1) has no time to listen: most such programs send junk."""
    await session.pause(session.settings.greeting_delay_seconds)
    if session.ending is not None:
        return session.engine.send(session.ending[1])
    return _sent_away(session, replies.SPOKE_TOO_EARLY) if session.engine.has_input else _greeted(session)


def _greeted(session: SMTPSession) -> bytes:
    return session.engine.send(replies.greeting(session.settings.hostname, protocol=name_of(session)))


def _sent_away(session: SMTPSession, refusal: Reply) -> bytes:
    session.log_refusal("connection", refusal)
    return session.engine.send(refusal)


def answer(session: SMTPSession, event: Hello) -> Answer:
    """Answer HELO, EHLO or LHLO."""
    peer, now = session.client.peer, peer_of(session.driver.transport)
    if now.tls:  # its details are known by now
        peer = replace(peer, tls=True, tls_version=now.tls_version, cipher=now.cipher)
    client = replace(
        session.client,
        peer=peer,
        hello=event.name,
        esmtp=event.verb is not Verb.HELO,
    )
    return session.when(session.policy.hello(client), partial(_judged, session, event, client))


def _judged(session: SMTPSession, event: Hello, client: Client, verdict: Verdict) -> Answer:
    if not isinstance(verdict, Accept):
        return session.refuse("hello", verdict.as_reply())
    session.client = client
    session.end_transaction()
    session.expect_commands()
    session.look_at_offer()
    hostname = session.settings.hostname
    if event.verb is Verb.HELO:
        return session.engine.send(Reply(250, (hostname,)))
    return session.engine.send(hello_reply(hostname, session.engine.offer))
