"""
Connections to one destination: how many at once, which are kept for the next message, which host comes next.

It decides the order of addresses with what it has learned (an address that failed comes last for a while, a
destination without any host is not tried again for a moment). Neighbours: `connect` opens, `remote` sends.
Sources: RFC 5321 §5.1 (all hosts in order), §4.5.4.1 (several messages over one connection).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from twisted.internet.defer import Deferred, DeferredSemaphore
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from ..interfaces.delivery import IRoutes, Route
from ..mail.errors import MailError, PermanentFailure
from ..mail.mail_host import MailHost
from ..mail.queue_item import Deferred as TryLater
from ..mail.queue_item import Failed
from ..mail.status import EnhancedStatus
from ..wire.smtp.client_events import Step
from .client import SMTPConnection
from .connect import Connector, HostFailed

_NO_HOST = EnhancedStatus(4, 4, 4)
# How many addresses of all hosts of a route are tried for one connection. RFC 5321 §5.1 asks for at least two.
MAX_ADDRESSES_TRIED = 8


@dataclass(frozen=True, slots=True)
class PoolLimits:
    """What a destination may take, and how long things are remembered."""

    connections: int = 5
    connections_in_all: int = 200
    """To all destinations together: where there are more, none is kept for which no message waits."""
    messages_per_connection: int = 100
    idle_seconds: float = 10.0
    avoid_seconds: float = 300.0
    """How long an address that failed comes after the others."""
    rest_seconds: float = 2.0
    """
    How long a destination no host of which could be reached is left alone: enough for what waits behind the same
    failure to share it, too short to disappoint who asks for another try.
    """
    plain_seconds: float = 3600.0
    """How long an address where TLS failed is spoken to in plain, under `may`."""


class Unreachable(Exception):
    """No host is left. `outcome` is what that means for a message."""

    def __init__(self, outcome: TryLater | Failed) -> None:
        super().__init__(outcome.reply)
        self.outcome = outcome


@dataclass(slots=True)
class Line:
    """A connection and the host it leads to."""

    connection: SMTPConnection
    host: str
    idle_timer: IDelayedCall | None = None

    @property
    def is_fresh(self) -> bool:
        """Nothing was sent over it before."""
        return self.connection.messages == 0

    @property
    def is_usable(self) -> bool:
        """Another message may be sent."""
        return not self.connection.gone and self.connection.engine.step is Step.IDLE


class Pool:
    """The connections to one destination. `enter` comes before `line`, `leave` after all is done."""

    def __init__(self, routes: IRoutes, connector: Connector, clock: IReactorTime, limits: PoolLimits) -> None:
        self._slots = DeferredSemaphore(limits.connections)
        self._leaving: list[Deferred[None]] = []
        self._routes = routes
        self._connector = connector
        self._clock = clock
        self._limits = limits
        self._idle: list[Line] = []
        self._avoided: dict[str, float] = {}
        self._in_plain: dict[str, float] = {}
        self._resting: tuple[float, TryLater | Failed] | None = None

    @property
    def is_empty(self) -> bool:
        """Nothing under way, and no line kept."""
        return not self._idle and self._slots.tokens == self._slots.limit

    async def enter(self) -> None:
        """Wait for a place: as many messages are under way at once as there may be connections."""
        await self._slots.acquire()

    def leave(self) -> None:
        """Give the place back, or let it go with a connection that is just being closed."""
        if self._leaving:
            self._leaving.pop().addCallback(lambda _: self._slots.release())
        else:
            self._slots.release()

    async def line(self, domain: str, tried: Collection[str]) -> Line:
        """
        A line to a host that is not in `tried`: a kept one, else a new one, hosts in the route's order.

        Raises: Unreachable.
        """
        for position in range(len(self._idle) - 1, -1, -1):
            line = self._idle[position]
            if line.host not in tried:
                del self._idle[position]
                self._stop_waiting(line)
                if line.is_usable:
                    return line
        return await self._open(domain, tried)

    def give_back(self, line: Line) -> None:
        """Keep the line for the next message, or close it where it has served its time."""
        is_crowded = len(self._connector.sessions) > self._limits.connections_in_all and not self._slots.waiting
        if line.is_usable and line.connection.messages < self._limits.messages_per_connection and not is_crowded:
            line.idle_timer = self._clock.callLater(self._limits.idle_seconds, self._retire, line)
            self._idle.append(line)
        else:
            self._leaving.append(line.connection.close())

    def forget_failures(self) -> None:
        """The next message is offered to every host again, at once."""
        self._resting = None
        self._avoided.clear()

    def close_idle(self) -> None:
        """Close what is kept."""
        idle, self._idle = self._idle, []
        for line in idle:
            self._stop_waiting(line)
            line.connection.close()

    # -- inside

    async def _open(self, domain: str, tried: Collection[str]) -> Line:
        if self._resting is not None:
            until, outcome = self._resting
            if self._clock.seconds() < until:
                raise Unreachable(outcome)
            self._resting = None
        try:
            route = await self._routes.route(domain)
        except MailError as error:
            kind = Failed if isinstance(error, PermanentFailure) else TryLater
            raise Unreachable(kind(error.status, error.text)) from error
        worst: TryLater | Failed | None = None
        for host, address in self._candidates(route, tried):
            try:
                return await self._try(route, host, address)
            except HostFailed as failed:
                # One host that may come back outweighs another that never will.
                if worst is None or isinstance(failed.outcome, TryLater):
                    worst = failed.outcome
        if worst is None:
            worst = TryLater(_NO_HOST, f"no host is left to try for {domain}")
        elif not tried:
            self._resting = (self._clock.seconds() + self._limits.rest_seconds, worst)
        raise Unreachable(worst)

    async def _try(self, route: Route, host: MailHost, address: str) -> Line:
        now = self._clock.seconds()
        in_plain = self._in_plain.get(address, 0.0) > now
        try:
            connection, had_to = await self._connector.open(route, host, address, in_plain=in_plain)
        except HostFailed:
            self._avoided[address] = self._clock.seconds() + self._limits.avoid_seconds
            raise
        self._avoided.pop(address, None)
        if had_to and not in_plain:
            self._in_plain[address] = self._clock.seconds() + self._limits.plain_seconds
        return Line(connection, host.name)

    def _candidates(self, route: Route, tried: Collection[str]) -> Iterator[tuple[MailHost, str]]:
        """Hosts and addresses in order, those that failed lately behind the others."""
        now = self._clock.seconds()
        every = [(host, address) for host in route.hosts if host.name not in tried for address in host.addresses]
        every.sort(key=lambda pair: self._avoided.get(pair[1], 0.0) > now)
        yield from every[:MAX_ADDRESSES_TRIED]

    def _retire(self, line: Line) -> None:
        line.idle_timer = None
        self._idle.remove(line)
        line.connection.close()

    def _stop_waiting(self, line: Line) -> None:
        if line.idle_timer is not None:
            line.idle_timer.cancel()
            line.idle_timer = None
