"""What the states of one session share, so that they need not know the session."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from twisted.internet.interfaces import IReactorTime

from ...interfaces.store import IMaildropLock
from ...mail.envelope import Peer
from ...wire.pop3.phrases import Phrase
from ...wire.pop3.replies import ResponseCode
from ...wire.pop3.server import POP3Server
from ..driver import Driver
from ..login import Authenticator
from ..peer import peer_of
from .languages import ENGLISH, Language
from .lease import MaildropLease
from .login_delay import LoginDelay
from .maildrop import Maildrop
from .settings import POP3Settings
from .snapshot import Snapshots


@dataclass(slots=True, kw_only=True)
class Parts:
    """
    One session's parts.

    `tls_context` is what `startTLS` takes, None for no STLS. `begin_transaction` ends the authorization state;
    `lose_lease` is called when another session has got the maildrop. `language` is what replies are worded in.
    `timestamp` is what APOP's digests are made with, None where it is not offered. While `is_streaming`, part of a
    reply has been written: a failure can only be told by cutting the connection.
    """

    engine: POP3Server
    driver: Driver
    clock: IReactorTime
    tls_context: object | None
    authenticator: Authenticator
    locks: IMaildropLock
    login_delay: LoginDelay
    snapshots: Snapshots
    session_id: str
    settings: POP3Settings
    peer: Peer
    begin_transaction: Callable[[Maildrop, MaildropLease], None]
    lose_lease: Callable[[], None]
    language: Language = ENGLISH
    timestamp: bytes | None = None
    is_streaming: bool = False

    @property
    def passwords_allowed(self) -> bool:
        """Whether USER and PASS may be said now."""
        return self.authenticator.passwords_allowed(self.peer)

    @property
    def plaintext_allowed(self) -> bool:
        """Whether this peer may show a password now."""
        return self.authenticator.plaintext_allowed(self.peer)

    @property
    def mechanisms(self) -> tuple[str, ...]:
        """The SASL mechanisms that AUTH may name now."""
        return self.authenticator.mechanisms(self.peer, self.driver.transport)

    @property
    def tls_available(self) -> bool:
        """Whether STLS would be taken, were nobody logged in."""
        return self.tls_context is not None and not self.peer.tls

    def look_at_peer(self) -> None:
        """See who is there now: TLS may have begun."""
        self.peer = peer_of(self.driver.transport, self.session_id)

    def ok(self, phrase: Phrase, **values: object) -> bytes:
        """End the pending command well, with this status line."""
        return self.engine.send(self.language.ok(phrase, **values))

    def error(self, phrase: Phrase, code: ResponseCode | None = None) -> bytes:
        """Refuse the pending command."""
        return self.engine.send(self.language.error(phrase, code))

    def first_part(self, octets: bytes) -> None:
        """Write the beginning of a reply that comes in parts."""
        self.is_streaming = True
        self.driver.write(octets)

    def last_part(self, octets: bytes) -> bytes:
        """End the pending command with the end of its reply."""
        self.is_streaming = False
        return self.engine.send(octets)
