"""
The factory of SMTP, submission and LMTP connections.

Neighbours: `session`; `node` listens with it, and so can any application.
"""

from __future__ import annotations

import secrets

from twisted.internet.interfaces import IReactorTime

from ...interfaces.intake import IIntake
from ...interfaces.policy import ISMTPPolicy
from ..connection import SessionFactory
from ..login import Authenticator
from .dispatch import EVENTS
from .session import SMTPSession
from .settings import SMTPSettings


class SMTPFactory(SessionFactory):
    """Makes SMTP, submission or LMTP sessions, for any stream endpoint: plain, STARTTLS, or inside TLS."""

    def __init__(
        self,
        policy: ISMTPPolicy,
        intake: IIntake,
        settings: SMTPSettings,
        clock: IReactorTime,
        authenticator: Authenticator | None = None,
        tls_context: object | None = None,
    ) -> None:
        """
        Args:
            policy: says who may send to whom.
            intake: takes the messages.
            settings: of this listener.
            clock: the reactor, for timeouts.
            authenticator: checks logins; needed unless `settings.auth` is "off".
            tls_context: what `startTLS` takes; None does not offer STARTTLS. May be replaced while running.

        Raises: ValueError: AUTH is wanted and there is no authenticator.
        """
        if authenticator is None and settings.auth != "off":
            raise ValueError("AUTH needs an authenticator")
        super().__init__(tls_context)
        self._policy = policy
        self._intake = intake
        self._settings = settings
        self._clock = clock
        self._authenticator = authenticator if settings.auth != "off" else None

    def session(self) -> SMTPSession:
        """See SessionFactory."""
        return SMTPSession(
            secrets.token_hex(8),
            self._settings,
            self._policy,
            self._intake,
            self._authenticator,
            self._clock,
            EVENTS,
            self.tls_context,
        )
