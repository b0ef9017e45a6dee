"""
Connections in memory, for transcripts and tests: a protocol on a transport that keeps what is written.

Nothing here needs a reactor. TLS is believed, not made: the transport says that it has begun.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.error import ConnectionDone
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

    `tls_begun` says that the server has begun TLS; `closed` that it has closed or aborted the connection.
    """

    def __init__(self, peer: IAddress = CLIENT, *, tls: bool = False) -> None:
        super().__init__(peerAddress=peer)  # type: ignore[no-untyped-call]
        self.tls_begun = False
        self.aborted = False
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

    def take(self) -> bytes:
        """What was written since the last call."""
        written: bytes = self.value()  # type: ignore[no-untyped-call]
        self.clear()  # type: ignore[no-untyped-call]
        return written


class MemoryConnection:
    """One client's connection, as transcripts see it; see `testing.transcripts.Connection`."""

    def __init__(self, protocol: Protocol, transport: MemoryTransport) -> None:
        self.protocol = protocol
        self.transport = transport
        self._dropped = False
        protocol.makeConnection(transport)

    @property
    def closed(self) -> bool:
        """Whether the server has ended the connection."""
        return self.transport.closed

    def feed(self, data: bytes) -> None:
        """Give octets to the server, unless the connection has ended."""
        if not self.closed and not self._dropped:
            self.protocol.dataReceived(data)

    def take(self) -> bytes:
        """What the server has sent since the last call."""
        return self.transport.take()

    def drop(self) -> None:
        """The connection is gone."""
        if not self._dropped:
            self._dropped = True
            self.protocol.connectionLost(Failure(ConnectionDone()))

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
        """Let the clock go on; who has been closed by the server is gone afterwards."""
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
