"""STARTTLS. Source: RFC 3207 §4."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ...mail.envelope import Client
from ...wire.smtp import replies
from ...wire.smtp.commands import StartTLS
from ..driver import Answer

if TYPE_CHECKING:
    from .session import SMTPSession


def answer(session: SMTPSession, event: StartTLS) -> Answer:
    """RFC 3207 §4.2: what was said before TLS is forgotten, a login with it."""
    session.login = None
    session.client = Client(replace(session.client.peer, tls=True), session.settings.service)
    session.driver.write(session.engine.send(replies.READY_FOR_TLS))
    session.look_at_offer()
    session.driver.start_tls(session.tls_context)
    return None
