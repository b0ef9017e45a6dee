"""
How often one address may come: connections and messages in a span of time. Those beyond wait outside for a while.

How many may be here at a time is for the listeners, which see them leave.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache, partial

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IReactorTime
from zope.interface import implementer

from ..interfaces.policy import ISMTPPolicy
from ..mail.address import Address
from ..mail.envelope import Client
from ..mail.host import Network, address_of, host_key
from ..mail.status import EnhancedStatus
from ..mail.verdict import Defer, Verdict
from .spans import SpanLimit
from .verdicts import accepted

# RFC 5321 §3.8: 421 closes the connection. RFC 3463 X.7.0: other security status.
_TOO_MANY_CONNECTIONS = Defer(EnhancedStatus(4, 7, 0), "you come too often, try again later", 421)
_TOO_MANY_MESSAGES = Defer(EnhancedStatus(4, 7, 0), "too many messages, try again later", 450)

# Under which names addresses are counted is remembered of so many.
_REMEMBERED_HOSTS = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimitSettings:
    """
    Counts for one address (an IPv6 /64 counts as one) in `span_seconds`; 0 for no limit. `trusted` networks and
    unix sockets are exempt. `max_addresses` bounds the memory: the address seen longest ago is forgotten first.
    """

    connections: int = 0
    messages: int = 0
    span_seconds: float = 60.0
    trusted: Sequence[Network] = ()
    max_addresses: int = 10_000


@implementer(ISMTPPolicy)
class RateLimits:
    """Counts in spans that begin with an address's first visit."""

    def __init__(self, clock: IReactorTime, settings: RateLimitSettings) -> None:
        # A client sends many messages, and to read its address takes longer than all the rest.
        self._counted_as = lru_cache(maxsize=_REMEMBERED_HOSTS)(partial(_counted_as, tuple(settings.trusted)))
        self._connections = SpanLimit(clock, settings.connections, settings.span_seconds, settings.max_addresses)
        self._messages = SpanLimit(clock, settings.messages, settings.span_seconds, settings.max_addresses)

    def connected(self, client: Client) -> Deferred[Verdict]:
        """See ISMTPPolicy."""
        return accepted() if self._may(client, self._connections) else succeed(_TOO_MANY_CONNECTIONS)

    def hello(self, client: Client) -> Deferred[Verdict]:
        """See ISMTPPolicy. Always yes."""
        return accepted()

    def sender(
        self, client: Client, sender: Address | None, parameters: tuple[tuple[str, str], ...]
    ) -> Deferred[Verdict]:
        """See ISMTPPolicy."""
        return accepted() if self._may(client, self._messages) else succeed(_TOO_MANY_MESSAGES)

    def recipient(self, client: Client, sender: Address | None, recipient: Address) -> Deferred[Verdict]:
        """See ISMTPPolicy. Always yes, without a recipient: another policy of the chain gives it."""
        return accepted()

    def verify(self, client: Client, text: str) -> Deferred[Verdict]:
        """See ISMTPPolicy. Always yes."""
        return accepted()

    def expand(self, client: Client, text: str) -> Deferred[Verdict]:
        """See ISMTPPolicy. Always yes."""
        return accepted()

    def _may(self, client: Client, limit: SpanLimit) -> bool:
        if limit.is_none:
            return True
        name = self._counted_as(client.peer.host)
        return name is None or limit.take(name)


def _counted_as(trusted: Sequence[Network], host: str) -> str | None:
    """The name under which an address is counted; None where it is not, as what is no address."""
    return None if address_of(host) is None else host_key(host, trusted)
