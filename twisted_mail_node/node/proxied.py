"""
Connections that come through a proxy: nothing is said to a client before the proxy's header has told who it is.

Sessions look at their peer when they begin (is it this machine? how often has it failed to log in?), so they are
made only then. Twisted's own wrapper begins them before the header, with the proxy as the peer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.interfaces import IAddress, IDelayedCall, IProtocolFactory, IReactorTime
from twisted.internet.protocol import connectionDone
from twisted.logger import Logger
from twisted.protocols.policies import ProtocolWrapper, WrappingFactory
from twisted.python.failure import Failure
from zope.interface import directlyProvides, providedBy

from ..mail.host import Network, is_within
from ..wire.errors import ProtocolViolation
from ..wire.proxy_header import Place, ProxyHeader, read_proxy_header

HEADER_SECONDS = 10.0
"""How long a proxy may take for its header, which it sends at once; HAProxy's own default is of this order."""


class BehindProxy(WrappingFactory[Any]):
    """
    Serves `factory` to who comes through one of the trusted proxies, and turns away anyone else.

    `factory` is asked with the client's own address. A unix socket's permissions are trust enough.
    """

    noisy = False

    def __init__(self, factory: IProtocolFactory, trusted: Sequence[Network], clock: IReactorTime) -> None:
        super().__init__(factory)  # type: ignore[no-untyped-call]
        self.trusted = trusted
        self.clock = clock

    def buildProtocol(self, addr: IAddress | None) -> Any:  # Any: as in IProtocolFactory, with or without generics.
        """`addr` is the proxy's own."""
        host = getattr(addr, "host", "")
        return _Proxied(self) if not host or is_within(host, self.trusted) else None

    def doStop(self) -> None:
        """The port is closed: who has not told for whom it comes need not any more."""
        for proxied in tuple(self.protocols):
            proxied.leave_if_waiting()
        super().doStop()  # type: ignore[no-untyped-call]


class _Proxied(ProtocolWrapper):
    """Waits for the header; then it is the transport of the client's session."""

    # Any: a transport provides more interfaces than one type has names, and there is no session at first.
    transport: Any
    wrappedProtocol: Any  # noqa: N815  Twisted's name
    factory: Any

    _log = Logger()

    def __init__(self, factory: BehindProxy) -> None:
        super().__init__(factory, None)  # type: ignore[arg-type]  # no session yet
        self._received = b""
        self._header: ProxyHeader | None = None
        self._patience: IDelayedCall | None = None

    def makeConnection(self, transport: Any) -> None:  # Any: as in ProtocolWrapper.
        """The proxy is there."""
        directlyProvides(self, providedBy(transport))
        self.transport = transport
        self.connected = 1
        self.factory.registerProtocol(self)
        self._patience = self.factory.clock.callLater(HEADER_SECONDS, self._turn_away, "no PROXY header came in time")

    def dataReceived(self, data: bytes) -> None:
        """The header, or a piece of it; then the client."""
        if self._header is not None:
            self.wrappedProtocol.dataReceived(data)
            return
        self._received += data
        try:
            header = read_proxy_header(self._received)
        except ProtocolViolation as violation:
            self._turn_away(violation.text)
            return
        if header is not None:
            self._begin(header)

    def leave_if_waiting(self) -> None:
        """Hang up, if the header has not come yet."""
        if self._header is None:
            self._stop_waiting()
            self.transport.abortConnection()

    def _begin(self, header: ProxyHeader) -> None:
        self._stop_waiting()
        self._header, rest, self._received = header, self._received[header.size :], b""
        self.wrappedProtocol = self.factory.wrappedFactory.buildProtocol(self.getPeer())
        if self.wrappedProtocol is None:
            self.transport.abortConnection()
            return
        self.wrappedProtocol.makeConnection(self)
        if rest:
            self.wrappedProtocol.dataReceived(rest)

    def _turn_away(self, why: str) -> None:
        self._stop_waiting()
        self._log.warn("a proxy is turned away: {why}", why=why)
        self.transport.abortConnection()

    def _stop_waiting(self) -> None:
        patience, self._patience = self._patience, None
        if patience is not None and patience.active():
            patience.cancel()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Gone; the session is told, if there is one."""
        self._stop_waiting()
        self.factory.unregisterProtocol(self)
        session, self.wrappedProtocol = self.wrappedProtocol, None
        if session is not None:
            session.connectionLost(reason)

    def startTLS(self, contextFactory: object, normal: bool = True) -> None:  # noqa: N802, N803  Twisted's names
        """See ITLSTransport. What the transport provides from now on, this does too."""
        self.transport.startTLS(contextFactory, normal)
        directlyProvides(self, providedBy(self.transport))

    def getPeer(self) -> IAddress:  # noqa: N802  Twisted's name
        """The client's address; the proxy's own where it has told none."""
        told = self._header.source if self._header is not None else None
        return _address(told) if told is not None else self.transport.getPeer()

    def getHost(self) -> IAddress:  # noqa: N802  Twisted's name
        """The address that the client connected to."""
        told = self._header.destination if self._header is not None else None
        return _address(told) if told is not None else self.transport.getHost()


def _address(place: Place) -> IAddress:
    host, port = place
    return IPv6Address("TCP", host, port) if ":" in host else IPv4Address("TCP", host, port)
