"""
Which hosts a recipient domain's mail is offered to: its MX hosts, or the smarthost; never this node itself.

It decides what is "self" and what is left of a route without it. Neighbours: an IMXResolver finds the hosts,
`remote` tries them. Sources: RFC 5321 §5.1 (a host that finds itself drops itself and all that is worse).
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Collection, Sequence
from contextlib import closing
from dataclasses import dataclass, replace

from zope.interface import implementer

from ..interfaces.deferred import returns_deferred
from ..interfaces.delivery import IRoutes, Route
from ..interfaces.dns import IMXResolver
from ..mail.errors import PermanentFailure, TemporaryFailure
from ..mail.mail_host import MailHost
from ..mail.status import EnhancedStatus

LOOP = EnhancedStatus(5, 4, 6)
_NO_SMARTHOST = EnhancedStatus(4, 4, 4)

TLS_POLICIES = ("none", "may", "encrypt", "verify")
_ANY_ADDRESS = ("0.0.0.0", "::", "")  # noqa: S104


@dataclass(frozen=True, slots=True)
class Smarthost:
    """
    One host that takes all outgoing mail. `tls` is one of none, may, encrypt, verify.

    `username` and `password` are for AUTH, which is only done under TLS unless `tls` is none.
    """

    host: str
    port: int
    tls: str = "verify"
    username: str = ""
    password: str = ""

    @classmethod
    def parse(cls, text: str, tls: str = "verify", username: str = "", password: str = "") -> Smarthost:
        """Read `host:port`, an IPv6 address in brackets. Raises ValueError."""
        host, colon, port = text.rpartition(":")
        host = host[1:-1] if host.startswith("[") and host.endswith("]") else host
        if not colon or not host or not port.isdecimal() or not 0 < int(port) < 65536 or tls not in TLS_POLICIES:
            raise ValueError(f"not a smarthost: {text!r} with tls {tls!r} (expected HOST:PORT)")
        return cls(host.lower(), int(port), tls, username, password)

    @property
    def key(self) -> str:
        """The host and port as text."""
        return f"{self.host}:{self.port}"


@implementer(IRoutes)
class Routes:
    """
    Routes by MX, or to a smarthost.

    `hostname` is this node's name. `port` is where other nodes listen. `listening` gives the addresses and
    ports where this node listens at the time; `is_own_address` says whether an address is one of this machine,
    for listeners on all addresses.
    """

    def __init__(
        self,
        resolver: IMXResolver,
        *,
        hostname: str,
        port: int = 25,
        tls: str = "may",
        smarthost: Smarthost | None = None,
        listening: Callable[[], Collection[tuple[str, int]]] = tuple,
        is_own_address: Callable[[str], bool] | None = None,
    ) -> None:
        self._resolver = resolver
        self._hostname = hostname.lower().rstrip(".")
        self._port = port
        self._tls = tls
        self._smarthost = smarthost
        self._listening = listening
        self._is_own_address = is_own_address or is_bindable

    def destination(self, domain: str) -> str:
        """See IRoutes."""
        return self._smarthost.key if self._smarthost is not None else domain

    @returns_deferred
    async def route(self, domain: str) -> Route:
        """See IRoutes."""
        if self._smarthost is not None:
            return await self._to_smarthost(self._smarthost)
        hosts = await self._resolver.mail_hosts(domain)
        others = self._without_self([replace(host, port=self._port) for host in hosts])
        if not others:
            raise PermanentFailure(f"mail for {domain} would come back to {self._hostname}", LOOP)
        return Route(others, self._tls)

    async def _to_smarthost(self, smarthost: Smarthost) -> Route:
        try:
            addresses = await self._resolver.addresses(smarthost.host)
        except PermanentFailure as error:
            # A mistake in the configuration, or in its keeper's zone, must not return everybody's mail.
            raise TemporaryFailure(f"smarthost {smarthost.host}: {error.text}", _NO_SMARTHOST) from error
        host = MailHost(smarthost.host, tuple(addresses), port=smarthost.port)
        if self._reaches_us(host):
            raise TemporaryFailure(f"the smarthost {smarthost.key} is this node", _NO_SMARTHOST)
        return Route((host,), smarthost.tls, smarthost.username, smarthost.password)

    def _without_self(self, hosts: Sequence[MailHost]) -> tuple[MailHost, ...]:
        """The hosts better than ourselves (RFC 5321 §5.1); all of them where we are none of them."""
        ours = [host.preference for host in hosts if host.name == self._hostname or self._reaches_us(host)]
        return tuple(host for host in hosts if not ours or host.preference < min(ours))

    def _reaches_us(self, host: MailHost) -> bool:
        listening = [address for address, port in self._listening() if port == host.port]
        if not listening:
            return False
        everywhere = any(address in _ANY_ADDRESS for address in listening)
        return any(address in listening or (everywhere and self._is_own_address(address)) for address in host.addresses)


def is_bindable(address: str) -> bool:
    """Whether the address is one of this machine: a socket can be bound to it. Does not block."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with closing(socket.socket(family, socket.SOCK_DGRAM)) as probe:
            probe.bind((address, 0))
    except OSError:
        return False
    return True
