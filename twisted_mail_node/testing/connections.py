"""
Connections in memory, for transcripts and tests: a protocol on a transport that keeps what is written.

Nothing here needs a reactor. TLS is believed, not made: the transport says that it has begun.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.interfaces import IAddress, ISSLTransport
from twisted.internet.protocol import Protocol
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from zope.interface import directlyProvides

CLIENT = IPv4Address("TCP", "127.0.0.1", 40000)


class MemoryTransport(StringTransport):
    """
    A transport that keeps what is written.

    `tls_begun` says that the server has begun TLS; `closed` that it has closed or aborted the connection. With
    `full_at` set, the peer reads nothing once so many octets wait for it: a producer is told to pause.
    """

    def __init__(self, peer: IAddress = CLIENT, *, tls: bool = False) -> None:
        super().__init__(peerAddress=peer)  # type: ignore[no-untyped-call]
        self.tls_begun = False
        self.aborted = False
        self.full_at: int | None = None
        if tls:
            directlyProvides(self, ISSLTransport)

    @property
    def closed(self) -> bool:
        """The server has ended the connection."""
        return bool(self.disconnecting) or self.aborted

    def startTLS(self, context: object) -> None:  # noqa: N802
        """Begin TLS: from now on this is an ISSLTransport."""
        self.tls_begun = True
        directlyProvides(self, ISSLTransport)

    def abortConnection(self) -> None:  # noqa: N802
        """Cut the connection off."""
        self.aborted = True

    def write(self, data: bytes) -> None:
        """See ITransport."""
        super().write(data)  # type: ignore[no-untyped-call]
        if self.full_at is not None and len(self._waiting) >= self.full_at and self.producer is not None:
            self.producer.pauseProducing()

    @property
    def _waiting(self) -> bytes:
        waiting: bytes = self.value()  # type: ignore[no-untyped-call]
        return waiting

    def take(self) -> bytes:
        """What was written since the last call."""
        written = self._waiting
        self.clear()  # type: ignore[no-untyped-call]
        return written


class MemoryConnection:
    """One client's connection, as transcripts see it; see `testing.transcripts.Connection`."""

    def __init__(self, protocol: Protocol, transport: MemoryTransport) -> None:
        self.protocol = protocol
        self.transport = transport
        self.lost = False
        protocol.makeConnection(transport)

    @property
    def closed(self) -> bool:
        """Whether the server has ended the connection; to look is to see it go."""
        if self.transport.closed:
            self.lose(ConnectionDone())
        return self.lost

    def feed(self, data: bytes) -> None:
        """Give octets to the server, unless the connection has ended."""
        if not self.transport.closed and not self.lost:
            self.protocol.dataReceived(data)

    def take(self) -> bytes:
        """What the server has sent since the last call."""
        return self.transport.take()

    def say(self, data: bytes) -> bytes:
        """Send octets; gives what is answered at once, without waiting for later turns."""
        self.feed(data)
        return self.take()

    def drop(self) -> None:
        """The client is gone without a word."""
        self.lose(ConnectionLost())

    def lose(self, why: Exception) -> None:
        """The connection is gone. A second call does nothing."""
        if not self.lost:
            self.lost = True
            self.protocol.connectionLost(Failure(why))

    def start_tls(self) -> None:
        """The client begins TLS; the server must have."""
        assert self.transport.tls_begun, "the server has not begun TLS"


class MemoryConnections:
    """
    Opens connections to what `build` makes; see `testing.transcripts.Connect`.

    Args:
        build: gives a new protocol, as a factory does.
        clock: the server's.
        transport: gives the transport for a connection's name.
    """

    def __init__(
        self,
        build: Callable[[], Protocol],
        clock: Clock,
        transport: Callable[[str], MemoryTransport] = lambda name: MemoryTransport(),
    ) -> None:
        self._build = build
        self._transport = transport
        self.clock = clock
        self.opened: list[MemoryConnection] = []

    def __call__(self, name: str = "1") -> MemoryConnection:
        """Open a connection."""
        connection = MemoryConnection(self._build(), self._transport(name))
        self.opened.append(connection)
        return connection

    def advance(self, seconds: float) -> None:
        """Let the clock go on."""
        self.clock.advance(seconds)

    def drop_all(self) -> None:
        """All clients leave."""
        for connection in self.opened:
            connection.drop()


def built_by(factory: Any) -> Callable[[], Protocol]:  # Any: whatever has buildProtocol.
    """The protocols of a factory, as `MemoryConnections` wants them."""

    def build() -> Protocol:
        protocol: Protocol = factory.buildProtocol(CLIENT)
        return protocol

    return build
