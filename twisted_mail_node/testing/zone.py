"""
A name server on loopback with a scripted zone and scripted faults: `twisted.names`' own, over real UDP and TCP.

For tests of what asks DNS. Names are given without the last dot; "" is the root (the null MX).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from twisted.internet.defer import Deferred, fail, gatherResults, maybeDeferred
from twisted.names import authority, dns, server
from twisted.python.failure import Failure

SOA = dns.Record_SOA(mname="ns.invalid", rname="hostmaster.invalid", minimum=60, expire=60, ttl=60)


def mx(preference: int, exchange: str, ttl: int = 60) -> dns.Record_MX:
    """An MX record."""
    return dns.Record_MX(preference, exchange, ttl=ttl)


def a(address: str, ttl: int = 60) -> dns.Record_A:
    """An A record."""
    return dns.Record_A(address, ttl=ttl)


def aaaa(address: str, ttl: int = 60) -> dns.Record_AAAA:
    """An AAAA record."""
    return dns.Record_AAAA(address, ttl=ttl)


def cname(target: str, ttl: int = 60) -> dns.Record_CNAME:
    """A CNAME record."""
    return dns.Record_CNAME(target, ttl=ttl)


class _Broken(Exception):
    """Stands for any failure of the server's own."""


class _Factory(server.DNSServerFactory):
    """Answers failures with SERVFAIL without logging them, and cuts what is too long for a datagram."""

    def gotResolverError(self, failure: Failure, protocol: Any, message: dns.Message, address: Any) -> None:  # noqa: N802
        """Told by the server when the zone gave no answer."""
        if failure.check(_Broken):
            answer = self._responseFromMessage(message=message, rCode=dns.ESERVER)  # type: ignore[no-untyped-call]
            self.sendReply(protocol, answer, address)
        else:
            super().gotResolverError(failure, protocol, message, address)  # type: ignore[no-untyped-call]

    def sendReply(self, protocol: Any, message: dns.Message, address: Any) -> None:  # noqa: N802
        """Told by the server when an answer is ready; `address` is None on TCP."""
        if address is not None:
            message.maxSize = 512  # RFC 1035 §4.2.1
        super().sendReply(protocol, message, address)  # type: ignore[no-untyped-call]


class _Zone(authority.FileAuthority):
    """All of DNS, as the server sees it: what is not in `records` does not exist."""

    def __init__(self, owner: ZoneServer) -> None:
        self._owner = owner
        super().__init__("")  # type: ignore[no-untyped-call]

    def loadFile(self, filename: str) -> None:  # noqa: N802
        """Nothing is read."""
        self.soa = (b"", SOA)  # type: ignore[assignment]
        self.records: Any = {}

    # Any: twisted.names tells no types for what its resolvers answer.
    def _lookup(self, name: bytes, cls: int, type: int, timeout: object = None) -> Deferred[Any]:
        text = name.decode("ascii").lower()
        owner = self._owner
        owner.asked[text, type] += 1
        fault = owner.faults.get((text, type), owner.faults.get(text))
        if fault == "silence":
            return Deferred()
        if fault == "servfail":
            return fail(_Broken())
        self.records = {known.encode("ascii"): rows for known, rows in owner.records.items()}
        result: Deferred[Any] = super()._lookup(name, cls, type, timeout)  # type: ignore[no-untyped-call]
        return result


class ZoneServer:
    """
    Serves `records` (name to records) on 127.0.0.1, the same port for UDP and TCP.

    `faults` maps a name, or a name and a type, to `servfail` or `silence`. Both may be changed at any time.
    `asked` counts the questions by name and type. `start` binds; `address` is then (host, port).
    """

    # Any: reactors are told apart by interface, and the records are any of twisted.names'.
    def __init__(self, reactor: Any, records: Mapping[str, Sequence[Any]]) -> None:
        self._reactor = reactor
        self._ports: list[Any] = []
        self.records: dict[str, Sequence[Any]] = dict(records)
        self.faults: dict[str | tuple[str, int], str] = {}
        self.asked: Counter[tuple[str, int]] = Counter()
        self.address: tuple[str, int] = ("127.0.0.1", 0)
        self._factory = _Factory(authorities=[_Zone(self)])  # type: ignore[no-untyped-call]

    def start(self, port: int = 0) -> None:
        """Bind to a free port, or to `port`."""
        self._factory.noisy = False
        stream = self._reactor.listenTCP(port, self._factory, interface="127.0.0.1")
        self.address = ("127.0.0.1", stream.getHost().port)
        protocol = dns.DNSDatagramProtocol(self._factory, reactor=self._reactor)
        protocol.noisy = False
        self._ports = [stream, self._reactor.listenUDP(self.address[1], protocol, interface="127.0.0.1")]

    def stop(self) -> Deferred[Any]:
        """Unbind. Fires when both ports are closed and the connections on them dropped."""
        for connection in list(self._factory.connections):
            connection.transport.abortConnection()
        return gatherResults([maybeDeferred(port.stopListening) for port in self._ports])
