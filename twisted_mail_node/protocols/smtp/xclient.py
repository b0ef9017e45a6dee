"""
XCLIENT and XFORWARD: somebody trusted in front of this node tells of its own client.

XCLIENT puts that client in the place of the one who is connected, for every decision: the session begins anew with it.
XFORWARD tells of the next message alone, and only the trace and the log. Who is trusted goes by the address of the
connection, whatever was told. Sources: Postfix's XCLIENT_README and XFORWARD_README.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from ...interfaces.auth import ILogin
from ...mail.envelope import Client, Forwarded
from ...mail.verdict import Accept, Verdict
from ...wire.smtp import replies
from ...wire.smtp.commands import Attribute, XClient, XForward
from ..driver import Answer
from .hello import name_of, refusal_of

if TYPE_CHECKING:
    from .session import SMTPSession

UNKNOWN_HOST = "unknown"
"""In place of an address that could not be told. It is no address, and so of no network; "" would be a local socket."""


def answer_xclient(session: SMTPSession, event: XClient) -> Answer:
    """Answer XCLIENT."""
    told = dict(event.told)
    client = _told_of(session.client, told)
    username = told.get(Attribute.LOGIN, "")
    if not username:
        return session.when(session.policy.connected(client), partial(_judged, session, client, None))
    assert session.authenticator is not None, "LOGIN is known where AUTH is"
    return session.when(session.authenticator.login_vouched_for(username), partial(_logged_in, session, client))


def _logged_in(session: SMTPSession, client: Client, login: ILogin) -> Answer:
    client = replace(client, account=login.name)
    return session.when(session.policy.connected(client), partial(_judged, session, client, login))


def _judged(session: SMTPSession, client: Client, login: ILogin | None, verdict: Verdict) -> bytes:
    session.log_override(client)
    session.begin_as(client, login)
    if isinstance(verdict, Accept):
        return session.engine.send(replies.greeting(session.settings.hostname, protocol=name_of(session)))
    refusal = replace(refusal_of(verdict), close=True)
    session.log_refusal("connection", refusal)
    return session.engine.send(refusal)


def _told_of(client: Client, told: dict[Attribute, str]) -> Client:
    peer = client.peer
    if Attribute.ADDRESS in told:
        peer = replace(peer, host=told[Attribute.ADDRESS] or UNKNOWN_HOST, port=0, name="")
    if Attribute.PORT in told:
        peer = replace(peer, port=int(told[Attribute.PORT] or 0))
    if Attribute.NAME in told:
        peer = replace(peer, name=told[Attribute.NAME])
    return Client(
        peer,
        client.service,
        told.get(Attribute.HELLO, client.hello),
        told.get(Attribute.PROTOCOL, "ESMTP" if client.esmtp else "SMTP") == "ESMTP",
    )


_FIELDS = {
    Attribute.NAME: "name",
    Attribute.ADDRESS: "host",
    Attribute.PORT: "port",
    Attribute.PROTOCOL: "protocol",
    Attribute.HELLO: "hello",
    Attribute.IDENTIFIER: "identifier",
    Attribute.SOURCE: "source",
}


def answer_xforward(session: SMTPSession, event: XForward) -> Answer:
    """Answer XFORWARD; several of them add up, until the next transaction ends."""
    known = session.client.forwarded or Forwarded()
    forwarded = replace(known, **{_FIELDS[attribute]: value for attribute, value in event.told})
    session.client = replace(session.client, forwarded=forwarded)
    return session.engine.send(replies.OK)
