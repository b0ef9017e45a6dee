"""What sends mail on: resolver, routes, connections, and the queue's runner, joined over one doors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from twisted.internet.defer import Deferred

from ..delivery.local import LocalDelivery
from ..delivery.pool import PoolLimits
from ..delivery.remote import RemoteDelivery
from ..delivery.route import Routes, Smarthost
from ..delivery.sorting import SortedDelivery
from ..delivery.tls import ClientTLS
from ..dns.resolver import MXResolver
from ..interfaces.deferred import returns_deferred
from ..interfaces.queue import IDelivery
from ..mail.address import Address
from ..queue.bouncer import Bouncer
from ..queue.runner import QueueRunner, RunnerLimits
from ..queue.schedule import Schedule
from .config import Config
from .doors import Doors
from .incoming import Incoming
from .listening import Listener
from .storage import Reactor

OWNER = "node"
"""
The name under which leases are held where one node at a time has the storage, and finds what its last life held. Nodes
that share one have a name each.
"""

UNDER_WAY_SECONDS = 2.0
"""How long deliveries under way may go on at the stop."""


class Outgoing:
    """The queue's runner and what it works with."""

    def __init__(
        self,
        make_runner: Callable[[], QueueRunner],
        delivery: RemoteDelivery,
        resolver: MXResolver,
    ) -> None:
        self._make_runner = make_runner
        self._runner: QueueRunner | None = None
        self._delivery = delivery
        self._resolver = resolver

    def start(self) -> Deferred[None]:
        """Send what is due, from now on. Fails also with CannotStart: see StateFolder.node_id."""
        if self._runner is None:
            self._runner = self._make_runner()
        return self._runner.start()

    @returns_deferred
    async def stop(self) -> None:
        """Begin nothing more; fires when what is under way is recorded, and all connections are closed."""
        if self._runner is not None:
            await self._runner.stop()
        await self._delivery.stop()

    def forget_failures(self) -> None:
        """What is tried next is tried for real, whatever failed a moment ago."""
        self._resolver.forget_failures()
        self._delivery.forget_failures()

    def stop_asking(self) -> Deferred[Any]:
        """End all look-ups in DNS."""
        return self._resolver.stop()


def make_outgoing(
    config: Config,
    doors: Doors,
    reactor: Reactor,
    incoming: Incoming,
    listeners: Callable[[], Sequence[Listener]],
    owner: Callable[[], str],
) -> Outgoing:
    """
    The rooms that send.

    `listeners` tells where this node listens at the time, so that it never sends to itself; `owner`, asked for at the
    start, is the name under which it holds leases.
    """
    relay, queue = config.relay, config.queue
    resolver = MXResolver(reactor, config.dns.servers or None)
    smarthost = None
    if relay.smarthost:
        password = relay.smarthost_password.get_secret_value()
        smarthost = Smarthost.parse(relay.smarthost, relay.smarthost_tls, relay.smarthost_username, password)
    routes = Routes(
        resolver,
        hostname=config.hostname,
        port=relay.port,
        smarthost=smarthost,
        listening=lambda: [(listener.host, listener.port) for listener in listeners() if listener.port],
    )
    delivery = RemoteDelivery(
        doors.queue,
        routes,
        reactor,
        hostname=config.hostname,
        tls=ClientTLS(relay.trusted_certificates),
        pool_limits=PoolLimits(queue.connections_per_destination, queue.connections),
        ignored_extensions=relay.ignored_extensions,
    )
    chosen: IDelivery = delivery
    if doors.spool is not None:
        chosen = SortedDelivery(LocalDelivery(doors.queue, doors.store), delivery)
    bouncer = Bouncer(
        doors.queue,
        incoming.lead,
        hostname=config.hostname,
        postmaster=Address("postmaster", config.domains[0]),
        new_id=incoming.ids.next,
    )
    limits = RunnerLimits(
        messages_in_flight=queue.connections,
        # The next message waits where its connection comes free.
        messages_per_destination=2 * queue.connections_per_destination,
        lease_seconds=queue.lease,
        stop_seconds=UNDER_WAY_SECONDS,
    )
    schedule = Schedule(queue.retry_after, queue.then_every, queue.give_up_after)

    def make_runner() -> QueueRunner:
        return QueueRunner(doors.queue, chosen, reactor, owner(), bouncer=bouncer, schedule=schedule, limits=limits)

    return Outgoing(make_runner, delivery, resolver)
