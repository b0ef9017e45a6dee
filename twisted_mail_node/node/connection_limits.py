"""
How many clients may be connected at a time: over all listeners, and from one address.

Decides at the moment of connecting; who is one too many is told so in the words of the protocol, and left.
How often one may come is for `policy`. Networks that are trusted, and unix sockets, count for the whole only.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from twisted.internet.interfaces import IAddress, ILoggingContext, IProtocol, IProtocolFactory, ISSLTransport
from twisted.internet.protocol import Protocol, connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from ..mail.envelope import Service
from ..mail.host import Network, host_key
from .spare_memory import give_back_spare_memory

EBB = 100
"""When so many clients more have left than have come, what they needed goes back to the system."""

_REFUSALS = {
    Service.SMTP: b"421 4.7.0 too many connections, try again later\r\n",
    Service.SUBMISSION: b"421 4.7.0 too many connections, try again later\r\n",
    Service.LMTP: b"421 4.7.0 too many connections, try again later\r\n",
    Service.POP3: b"-ERR [SYS/TEMP] too many connections, try again later\r\n",
    Service.IMAP: b"* BYE [UNAVAILABLE] too many connections, try again later\r\n",
}


class ConnectionLimits:
    """
    Counts the clients of one node.

    Args:
        in_all: clients at a time, over all listeners.
        per_address: clients at a time from one address; an IPv6 /64 counts as one.
        trusted: networks whose addresses are not counted one by one.
        on_ebb: called when many have left.
    """

    def __init__(
        self,
        in_all: int,
        per_address: int,
        trusted: Sequence[Network],
        on_ebb: Callable[[], None] = give_back_spare_memory,
    ) -> None:
        self._in_all = in_all
        self._per_address = per_address
        self._trusted = trusted
        self._on_ebb = on_ebb
        self._count = 0
        self._high_tide = 0
        self._by_address: Counter[str] = Counter()
        self._protocols: set[Any] = set()  # Any: a protocol has the transport that it got.

    def __len__(self) -> int:
        return self._count

    def limited(self, factory: IProtocolFactory, service: Service) -> IProtocolFactory:
        """The factory within these limits."""
        return _LimitedFactory(self, factory, service)

    def abort_all(self) -> None:
        """Cut off all clients."""
        for protocol in tuple(self._protocols):
            if protocol.transport is not None:
                protocol.transport.abortConnection()

    def enter(self, host: str) -> str | None:
        """Count a client. Gives what to `leave` with, or None: there is no room for it."""
        key = host_key(host, self._trusted) or ""
        if self._count >= self._in_all or (key and self._by_address[key] >= self._per_address):
            return None
        self._count += 1
        self._high_tide = max(self._high_tide, self._count)
        if key:
            self._by_address[key] += 1
        return key

    def add(self, protocol: Any, key: str) -> None:  # Any: its connectionLost is put in front of.
        """Let a counted client leave by itself when its connection is gone."""
        connection_lost = protocol.connectionLost

        def lost(reason: Failure = connectionDone) -> None:
            del protocol.connectionLost  # nothing may refer in a circle to what is gone
            self._protocols.discard(protocol)
            self.leave(key)
            connection_lost(reason)

        self._protocols.add(protocol)
        protocol.connectionLost = lost

    def leave(self, key: str) -> None:
        """A client that `enter` has counted is gone."""
        self._count -= 1
        if key:
            self._by_address[key] -= 1
            if not self._by_address[key]:
                del self._by_address[key]
        if self._high_tide - self._count >= EBB:
            self._high_tide = self._count
            self._on_ebb()


@implementer(IProtocolFactory, ILoggingContext)
class _LimitedFactory:
    _log = Logger()

    def __init__(self, limits: ConnectionLimits, factory: IProtocolFactory, service: Service) -> None:
        self._limits = limits
        self._factory = factory
        self._service = service

    def logPrefix(self) -> str:
        """See ILoggingContext."""
        return self._service.value

    def doStart(self) -> None:
        """See IProtocolFactory."""
        self._factory.doStart()

    def doStop(self) -> None:
        """See IProtocolFactory."""
        self._factory.doStop()

    def buildProtocol(self, addr: IAddress) -> IProtocol | None:
        """See IProtocolFactory."""
        host = getattr(addr, "host", "")
        key = self._limits.enter(host)
        if key is None:
            self._log.info("a connection too many from {peer}", peer=host)
            return _Refused(_REFUSALS[self._service])
        protocol = self._factory.buildProtocol(addr)
        if protocol is None:
            self._limits.leave(key)
            return None
        self._limits.add(protocol, key)
        return protocol


class _Refused(Protocol):
    def __init__(self, refusal: bytes) -> None:
        self._refusal = refusal

    def connectionMade(self) -> None:
        """
        Say why, and leave.

        Under TLS nothing is said: the words would wait for a handshake, and who never shakes hands would stay,
        counted by nobody.
        """
        transport: Any = self.transport  # Any: TCP, unix and TLS transports share no interface.
        if ISSLTransport.providedBy(transport):
            transport.abortConnection()
        else:
            transport.write(self._refusal)
            transport.loseConnection()
