"""
The factory of POP3 connections.

Neighbours: `session`; `node` listens with it, and so can any application.
"""

from __future__ import annotations

import secrets

from twisted.internet.interfaces import IReactorTime

from ...interfaces.store import IMaildropLock, IMailStore
from ..connection import SessionFactory
from ..login import Authenticator
from .lease import LocalMaildropLock
from .login_delay import LoginDelay
from .session import POP3Session
from .settings import POP3Settings
from .snapshot import Snapshots


class POP3Factory(SessionFactory):
    """Makes POP3 sessions, for any stream endpoint: plain, with STLS, or inside TLS from the first octet."""

    def __init__(
        self,
        store: IMailStore,
        settings: POP3Settings,
        clock: IReactorTime,
        authenticator: Authenticator,
        tls_context: object | None = None,
        login_delay: LoginDelay | None = None,
    ) -> None:
        """
        Args:
            store: keeps the maildrop locks, where it provides IMaildropLock; else this factory does.
            settings: of this listener.
            clock: the reactor, for timeouts and leases.
            authenticator: checks logins; its ILogin gives the account.
            tls_context: what `startTLS` takes; None does not offer STLS. May be replaced while running.
            login_delay: shared with other listeners; else one of this listener's own, as the settings say.
        """
        super().__init__(tls_context)
        self._settings = settings
        self._clock = clock
        self._authenticator = authenticator
        self._locks: IMaildropLock = IMaildropLock(store, None) or LocalMaildropLock(clock)
        if login_delay is None:
            login_delay = LoginDelay(clock, settings.login_delay_seconds)
        self._login_delay = login_delay
        self._snapshots = Snapshots()

    def session(self) -> POP3Session:
        """See SessionFactory."""
        return POP3Session(
            secrets.token_hex(8),
            self._settings,
            self._authenticator,
            self._locks,
            self._login_delay,
            self._snapshots,
            self._clock,
            self.tls_context,
        )
