"""
Hands queued messages on to other nodes: `RemoteDelivery`, the door IDelivery.

It decides each recipient's outcome out of what hosts said, and when the next host is asked. Neighbours: `pool`
for connections, `message` for what is asked for, a queue store for bodies, the queue's runner calls. Sources: RFC 5321
§4.5.4.1, §5.1.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from twisted.internet.defer import Deferred, gatherResults
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from ..interfaces.deferred import returns_deferred
from ..interfaces.delivery import IRoutes
from ..interfaces.queue import IDelivery, IQueueStore
from ..mail.errors import MailError, Unavailable
from ..mail.queue_item import Deferred as TryLater
from ..mail.queue_item import Failed, Outcome, QueueItem
from ..mail.status import EnhancedStatus, Reply
from ..wire.smtp.client_events import Message, TransactionEnded, Unfit
from ..wire.smtp.paths import is_writable
from .client import TimeLimits
from .connect import Connector, IDeliveryReactor, outcome_of
from .message import message_for, needs_smtputf8_for_header
from .pool import Line, Pool, PoolLimits, Unreachable
from .tls import ClientTLS

# RFC 5321 §4.5.3.1.8: a server must take this many recipients in one transaction.
MAX_RECIPIENTS = 100
# How many hosts are asked in one go when each of them says "later".
MAX_HOSTS_ASKED = 2
# Destinations remembered; beyond it those with nothing under way are forgotten.
MAX_POOLS = 1000

# How long a host may take to answer QUIT when we stop.
GOODBYE_SECONDS = 0.5

_STOPPING = TryLater(EnhancedStatus(4, 3, 2), "this node is stopping")
_LOCAL_ERROR = TryLater(EnhancedStatus(4, 3, 0), "local error")
_UNWRITABLE = Failed(EnhancedStatus(5, 1, 3), "an address with characters that cannot be sent")


@implementer(IDelivery)
class RemoteDelivery:
    """
    Delivers over SMTP. `hostname` is what EHLO says; bodies come from `store`, hosts from `routes`.

    `ignored_extensions` are keywords of what is not made use of, whoever offers it.
    """

    _log = Logger()

    def __init__(
        self,
        store: IQueueStore,
        routes: IRoutes,
        reactor: IDeliveryReactor,
        *,
        hostname: str,
        tls: ClientTLS | None = None,
        time_limits: TimeLimits | None = None,
        pool_limits: PoolLimits | None = None,
        ignored_extensions: Collection[str] = (),
    ) -> None:
        self._store = store
        self._routes = routes
        self._clock = reactor
        self._limits = pool_limits or PoolLimits()
        self._connector = Connector(
            reactor, hostname, tls or ClientTLS(), time_limits or TimeLimits(), ignored_extensions
        )
        self._pools: dict[str, Pool] = {}
        self._active = 0
        self._stopping = False
        self._all_done: Deferred[None] | None = None

    def destination(self, item: QueueItem) -> str:
        """See IDelivery."""
        return self._routes.destination(item.recipient.domain)

    @returns_deferred
    async def deliver(self, items: Sequence[QueueItem]) -> Sequence[Outcome]:
        """See IDelivery. Cancelling drops the connection in use; the message may have been taken all the same."""
        outcomes: list[Outcome] = []
        self._active += 1
        try:
            for start in range(0, len(items), MAX_RECIPIENTS):
                outcomes += await self._deliver(items[start : start + MAX_RECIPIENTS])
        finally:
            self._active -= 1
            if self._all_done is not None and not self._active:
                self._all_done.callback(None)
        return outcomes

    def forget_failures(self) -> None:
        """Let no destination rest any longer: somebody wants a real try now."""
        for pool in self._pools.values():
            pool.forget_failures()

    @returns_deferred
    async def stop(self) -> None:
        """See IDelivery. Fires when every connection is gone."""
        self._stopping = True
        for pool in self._pools.values():
            pool.close_idle()
        if self._active:
            self._all_done = Deferred()
            await self._all_done
        leaving = [connection.close() for connection in list(self._connector.sessions)]
        timer = self._clock.callLater(GOODBYE_SECONDS, self._abort_all)
        await gatherResults(leaving)
        if timer.active():
            timer.cancel()

    # -- inside

    def _abort_all(self) -> None:
        for connection in list(self._connector.sessions):
            connection.abort()

    async def _deliver(self, items: Sequence[QueueItem]) -> list[Outcome]:
        outcomes: dict[int, Outcome] = {}
        for item in items:
            if not is_writable(item.sender) or not is_writable(item.recipient):
                outcomes[item.item_id] = _UNWRITABLE
        todo = [item for item in items if item.item_id not in outcomes]
        if todo:
            try:
                international = await needs_smtputf8_for_header(todo[0], self._store)
            except MailError as error:
                self._cannot_read(todo, error, outcomes)
            else:
                await self._deliver_in_turn(todo, international, outcomes)
        return [outcomes[item.item_id] for item in items]

    async def _deliver_in_turn(self, todo: list[QueueItem], international: bool, outcomes: dict[int, Outcome]) -> None:
        """Wait for a place among the connections, and send."""
        pool = self._pool(self.destination(todo[0]))
        await pool.enter()
        try:
            await self._ask_hosts(pool, todo, international, outcomes)
        finally:
            pool.leave()

    async def _ask_hosts(
        self, pool: Pool, todo: list[QueueItem], international: bool, outcomes: dict[int, Outcome]
    ) -> None:
        """Offer the message to one host after the other, as long as they say "later" or lack what it needs."""
        asked: set[str] = set()
        while todo and len(asked) < MAX_HOSTS_ASKED:
            if self._stopping:
                _fill(outcomes, todo, _STOPPING)
                return
            try:
                line = await pool.line(todo[0].recipient.domain, asked)
            except Unreachable as unreachable:
                _fill(outcomes, todo, unreachable.outcome)
                return
            except MailError:  # our own TLS settings, nobody else's concern
                self._log.failure("cannot connect to {domain}", domain=todo[0].recipient.domain)
                _fill(outcomes, todo, _LOCAL_ERROR)
                return
            was_fresh = line.is_fresh
            ended = await self._offer(pool, line, message_for(todo, international=international), todo, outcomes)
            if ended is None:
                return
            if not was_fresh and not line.is_usable and not ended.content_sent:
                continue  # the host had closed a kept connection: that says nothing of the message
            asked.add(line.host)
            # After a connection that broke behind the end of the content the message may be there already.
            if ended.content_sent and not line.is_usable:
                return
            todo = [item for item, reply in zip(todo, ended.results, strict=True) if _may_go_elsewhere(reply)]

    async def _offer(
        self, pool: Pool, line: Line, message: Message, items: Sequence[QueueItem], outcomes: dict[int, Outcome]
    ) -> TransactionEnded | None:
        """One transaction. Writes the outcomes; None where no other host is to be asked."""
        connection = line.connection
        extensions = connection.engine.extensions
        try:
            ended = await connection.send(message, lambda: self._store.open_queued(items[0].body_id))
        except (MailError, EOFError) as error:
            self._cannot_read(items, error, outcomes)
            return None
        transcript = "" if all(reply.is_positive for reply in ended.results) else connection.engine.transcript
        for item, reply in zip(items, ended.results, strict=True):
            outcomes[item.item_id] = outcome_of(reply, line.host, transcript, reports="DSN" in extensions)
        if self._stopping:
            connection.close()
        else:
            pool.give_back(line)
        return ended

    def _cannot_read(
        self, items: Sequence[QueueItem], error: MailError | EOFError, outcomes: dict[int, Outcome]
    ) -> None:
        queue_id = items[0].transaction_id
        if isinstance(error, Unavailable):
            self._log.warn("cannot read {queue_id} now: {reason}", queue_id=queue_id, reason=error.text)
        else:
            self._log.failure("cannot read {queue_id}", Failure(error), queue_id=queue_id)
        _fill(outcomes, items, _LOCAL_ERROR)

    def _pool(self, destination: str) -> Pool:
        pool = self._pools.get(destination)
        if pool is None:
            if len(self._pools) >= MAX_POOLS:
                self._pools = {key: known for key, known in self._pools.items() if not known.is_empty}
            pool = Pool(self._routes, self._connector, self._clock, self._limits)
            self._pools[destination] = pool
        return pool


def _may_go_elsewhere(reply: Reply) -> bool:
    """Whether another host may do better: this one says "later", or lacks what the message needs."""
    return reply.is_temporary or isinstance(reply, Unfit)


def _fill(outcomes: dict[int, Outcome], items: Sequence[QueueItem], outcome: Outcome) -> None:
    """The outcome of those that have none: what a host has said weighs more than that another is not there."""
    for item in items:
        outcomes.setdefault(item.item_id, outcome)
