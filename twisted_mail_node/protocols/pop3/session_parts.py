"""What the states of one session share, so that they need not know the session."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from twisted.internet.interfaces import IReactorTime

from ...interfaces.store import IMaildropLock
from ...mail.envelope import Peer
from ...wire.pop3.server import POP3Server
from ..driver import Driver
from ..login import Authenticator
from ..peer import peer_of
from .lease import MaildropLease
from .maildrop import Maildrop
from .snapshot import Snapshots


@dataclass(slots=True, kw_only=True)
class Parts:
    """
    One session's parts.

    `tls_context` is what `startTLS` takes, None for no STLS. `begin_transaction` ends the authorization state;
    `lose_lease` is called when another session has got the maildrop.
    """

    engine: POP3Server
    driver: Driver
    clock: IReactorTime
    tls_context: object | None
    authenticator: Authenticator
    locks: IMaildropLock
    snapshots: Snapshots
    session_id: str
    implementation: str
    peer: Peer
    begin_transaction: Callable[[Maildrop, MaildropLease], None]
    lose_lease: Callable[[], None]

    def look_at_peer(self) -> None:
        """See who is there now: TLS may have begun."""
        self.peer = peer_of(self.driver.transport, self.session_id)
