"""
The factory of IMAP connections.

Neighbours: `session`; `node` listens with it, and so can any application.
"""

from __future__ import annotations

import secrets

from twisted.internet.interfaces import IReactorTime

from ...interfaces.store import IMailStore
from ...wire.imap import response_codes as codes
from ...wire.imap.responses import ok, untagged
from ...wire.imap.server import IMAPServer
from ..connection import SessionFactory
from ..login import Authenticator
from .capability import capabilities
from .dispatch import COMMANDS
from .session import IMAPSession
from .settings import IMAPSettings


def greeting(session: IMAPSession) -> bytes:
    """
    What a client is told first: with it the capabilities, which spare it the question (RFC 3501 §7.1).

    Without them where a certificate, which TLS brings only after this was written, may make them more.
    """
    if session.authenticator.will_know_more(session.driver.transport):
        return untagged(ok(f"{session.settings.hostname} ready"))
    told = codes.capability(capabilities(session))
    return untagged(ok(f"{session.settings.hostname} ready", told))


class IMAPFactory(SessionFactory):
    """Makes IMAP sessions, for any stream endpoint: plain, with STARTTLS, or inside TLS from the first octet."""

    def __init__(
        self,
        store: IMailStore,
        settings: IMAPSettings,
        clock: IReactorTime,
        authenticator: Authenticator,
        tls_context: object | None = None,
    ) -> None:
        """
        Args:
            store: the one whose accounts the authenticator's logins give: tells of changes, stages large messages.
            settings: of this listener.
            clock: the reactor, for timeouts and turns.
            authenticator: checks logins; its ILogin gives the account.
            tls_context: what `startTLS` takes; None does not offer STARTTLS. May be replaced while running.
        """
        super().__init__(tls_context)
        self._store = store
        self._settings = settings
        self._clock = clock
        self._authenticator = authenticator

    def session(self) -> IMAPSession:
        """See SessionFactory."""
        return IMAPSession(
            IMAPServer(),
            self._settings,
            self._authenticator,
            self._store,
            self._clock,
            COMMANDS,
            greeting,
            self.tls_context,
            secrets.token_hex(8),
        )
