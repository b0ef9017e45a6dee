"""
Runs the queue: leases what is due, hands it to delivery, and has the outcomes recorded.

It decides who goes next and how many at once, so that one dead destination slows no other. Neighbours: the store
keeps, IDelivery sends, `schedule` says when to try again, `settling` records. The states of an item are in
docs/flow.md. Source: RFC 5321 §4.5.4.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from twisted.internet.defer import CancelledError, Deferred, DeferredList, maybeDeferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from ..interfaces.deferred import returns_deferred
from ..interfaces.queue import IDelivery, IQueueStore
from ..mail.errors import Unavailable
from ..mail.queue_item import Deferred as TryLater
from ..mail.queue_item import Delivered, Failed, Outcome, QueueItem, Settled
from ..mail.status import EnhancedStatus
from .bouncer import Bouncer
from .schedule import Schedule
from .settling import Settling

_LOCAL_ERROR = TryLater(EnhancedStatus(4, 3, 0), "local error")
_SENT = "2.0.0"
_NAMES: dict[type[Outcome], str] = {Delivered: "delivered", TryLater: "deferred", Failed: "failed"}
_EXPIRED = EnhancedStatus(5, 4, 7)
# How soon the store is asked again when it could not answer, or when what is due belongs to busy destinations.
ASK_AGAIN_SECONDS = 1.0
# The shortest wait for an item that is due "now" by the store's clock and was not leased.
SHORTEST_WAIT_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class RunnerLimits:
    """How much at once, and how often."""

    messages_in_flight: int = 200
    messages_per_destination: int = 10
    """A few more than connections per destination: the next message waits where its connection comes free."""
    first_messages: int = 2
    """
    So many are tried at once at a destination of which nothing is known, or that could not be reached. Each one
    that gets an answer makes room for another: many dead destinations take few places from those that live.
    """
    line_messages: int = 30
    """
    With so many waiting a destination gets no more: others come first. When it has fewer, the queue is looked at
    again, and these are what keeps its connections at work meanwhile.
    """
    recipients_per_message: int = 100
    leased_items: int = 2000
    """Leased and not recorded yet: bounds memory."""
    items_per_lease: int = 100
    """How many are leased in one commit. A destination just found dead holds up no more than this."""
    lease_seconds: float = 300.0
    poll_seconds: float = 60.0
    """The longest time between two looks at the queue: another process may have put something in."""
    collect_seconds: float = 0.02
    stop_seconds: float = 5.0
    """How long deliveries under way are waited for at the stop."""


@dataclass(slots=True)
class _Destination:
    room: int
    """How many messages at once, for now."""
    waiting: deque[list[QueueItem]] = field(default_factory=deque)
    in_flight: int = 0
    has_turn: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """
    What the log has of one try for one recipient, always in the same words and order.

    A value with a text of its own: a log format of ten fields would cost as much as half of the dialogue.
    """

    queue_id: str
    item: int
    sender: str
    recipient: str
    host: str
    attempt: int
    age_seconds: float
    outcome: str
    status: str
    reply: str

    def __str__(self) -> str:
        return (
            f"{self.queue_id} item={self.item} sender=<{self.sender}> recipient=<{self.recipient}> "
            f"host={self.host or 'none'} try={self.attempt} age={self.age_seconds:.1f} outcome={self.outcome} "
            f"status={self.status} reply={self.reply!r}"
        )


class QueueRunner:
    """
    Runs the items that it leases as `owner`, a name that no other runner on the same store has at the time.

    A runner that was killed and comes back under the same name takes up its items at once; under another name
    they are taken up when their leases end. `now` gives seconds since the epoch; `clock` by default.
    """

    _log = Logger()

    def __init__(
        self,
        store: IQueueStore,
        delivery: IDelivery,
        clock: IReactorTime,
        owner: str,
        *,
        bouncer: Bouncer | None = None,
        schedule: Schedule | None = None,
        limits: RunnerLimits | None = None,
        now: Callable[[], float] | None = None,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._store = store
        self._delivery = delivery
        self._clock = clock
        self._owner = owner
        self._schedule = schedule or Schedule()
        self._limits = limits or RunnerLimits()
        self._now = now or clock.seconds
        self._chance = chance
        self._held: dict[int, float] = {}  # by item id: when the lease ends
        self._destinations: dict[str, _Destination] = {}
        self._turns: deque[str] = deque()
        self._in_flight: set[Deferred[Sequence[Outcome]]] = set()
        self._alarm: IDelayedCall | None = None
        self._renewal: IDelayedCall | None = None
        self._running = False
        self._watches = False
        self._leasing: Deferred[None] | None = None
        self._look_again = False
        self._dispatching = False
        self._settling = Settling(
            store,
            clock,
            self._now,
            bouncer=bouncer,
            is_held=self._is_held,
            done=self._recorded,
            collect_seconds=self._limits.collect_seconds,
        )

    @returns_deferred
    async def start(self) -> None:
        """Take up what this owner held when it last ended, and begin. Fails as IQueueStore.release_leases."""
        await self._store.release_leases(self._owner)
        self._running = True
        if not self._watches:
            self._watches = True
            self._store.watch_queue(self._wake)
        self._renewal = self._clock.callLater(self._limits.lease_seconds / 3, self._renew)
        self._wake()

    @returns_deferred
    async def stop(self) -> None:
        """
        Begin nothing more, wait a little for what is under way, record it, and give the leases back.

        What is cancelled then is tried again later. Fires when all is recorded.
        """
        if not self._running:
            return
        self._running = False
        for timer in (self._alarm, self._renewal):
            if timer is not None:
                timer.cancel()
        self._alarm = self._renewal = None
        if self._leasing is not None:
            await self._leasing
        self._destinations.clear()
        self._turns.clear()
        if self._in_flight:
            under_way = list(self._in_flight)
            timer = self._clock.callLater(self._limits.stop_seconds, _cancel_all, under_way)
            await DeferredList(under_way)
            if timer.active():
                timer.cancel()
        await self._settling.finish()
        self._held.clear()
        await self._store.release_leases(self._owner)

    # -- leasing

    def _wake(self) -> None:
        """Look for what is due, now or as soon as the present look is over."""
        if not self._running:
            return
        if self._leasing is not None:
            self._look_again = True
            return
        done: Deferred[None] = Deferred()
        self._leasing = done
        Deferred.fromCoroutine(self._lease_all()).addErrback(self._cannot_lease).addCallback(self._leased, done)

    def _leased(self, _: None, done: Deferred[None]) -> None:
        self._leasing = None
        done.callback(None)

    async def _lease_all(self) -> None:
        """Lease until nothing is due for a destination that has room, or until we hold enough."""
        limits = self._limits
        while self._running:
            self._look_again = False
            room = limits.leased_items - len(self._held)
            if room < min(limits.items_per_lease, limits.leased_items) // 2:
                self._ring_in(limits.poll_seconds)  # what is recorded meanwhile wakes us sooner
                return
            limit = min(room, limits.items_per_lease)
            busy = self._busy_domains()
            now = self._now()
            items = await self._store.lease(self._owner, now, now + limits.lease_seconds, limit, busy)
            if self._is_stopping():
                return
            self._take(items, now + limits.lease_seconds)
            self._dispatch()
            if len(items) < limit and not self._look_again:
                await self._set_alarm(bool(busy))
                if not self._look_again:
                    return

    def _is_stopping(self) -> bool:
        """What may have changed while something was awaited."""
        return not self._running

    def _cannot_lease(self, failure: Failure) -> None:
        self._log_trouble("cannot look for mail that is due", failure)
        self._ring_in(ASK_AGAIN_SECONDS)

    async def _set_alarm(self, has_busy: bool) -> None:
        now = self._now()
        due = await self._store.next_due(now)
        # What is due already and was not leased belongs to a busy destination, which wakes us when it has room.
        shortest = ASK_AGAIN_SECONDS if has_busy else SHORTEST_WAIT_SECONDS
        poll_seconds = self._limits.poll_seconds
        self._ring_in(poll_seconds if due is None else min(max(due - now, shortest), poll_seconds))

    def _ring_in(self, seconds: float) -> None:
        """Look again after this time, or sooner where that was said before."""
        if not self._running:
            return
        if self._alarm is not None:
            if self._alarm.getTime() <= self._clock.seconds() + seconds:
                return
            self._alarm.cancel()
        self._alarm = self._clock.callLater(seconds, self._rung)

    def _rung(self) -> None:
        self._alarm = None
        self._wake()

    def _renew(self) -> None:
        self._renewal = self._clock.callLater(self._limits.lease_seconds / 3, self._renew)
        item_ids = list(self._held)
        if not item_ids:
            return
        until = self._now() + self._limits.lease_seconds

        def renewed(_: None) -> None:
            for item_id in item_ids:
                if item_id in self._held:
                    self._held[item_id] = until

        renewing = self._store.renew(self._owner, item_ids, until)
        renewing.addCallbacks(renewed, lambda failure: self._log_trouble("cannot renew leases", failure))

    def _log_trouble(self, trouble: str, failure: Failure) -> None:
        """A store that cannot be reached has said why already; any other failure is told with its trace."""
        if isinstance(failure.value, Unavailable):
            self._log.warn("{trouble}: {reason}", trouble=trouble, reason=failure.value.text)
        else:
            self._log.failure("{trouble}", failure, trouble=trouble)

    def _is_held(self, item_id: int) -> bool:
        return self._held.get(item_id, 0.0) > self._now()

    # -- whose turn it is

    def _take(self, items: Iterable[QueueItem], until: float) -> None:
        """Put items in line, those of one message to one destination together."""
        groups: dict[tuple[str, int, str], list[QueueItem]] = {}
        for item in items:
            was_held = item.item_id in self._held
            self._held[item.item_id] = until
            if was_held:  # our own lease had ended while it was under way: it still is
                continue
            name = self._delivery.destination(item)
            key = (item.transaction_id, item.body_id, name)
            group = groups.get(key)
            if group is None or len(group) >= self._limits.recipients_per_message:
                group = groups[key] = []
                destination = self._destinations.get(name)
                if destination is None:
                    destination = self._destinations[name] = _Destination(room=self._first_room())
                destination.waiting.append(group)
                self._give_turn(name, destination)
            group.append(item)

    def _busy_domains(self) -> frozenset[str]:
        """Domains whose line is long enough that leasing more for them would only hide others."""
        return frozenset(
            item.recipient.domain
            for destination in self._destinations.values()
            if len(destination.waiting) >= self._limits.line_messages
            for group in destination.waiting
            for item in group
        )

    def _give_turn(self, name: str, destination: _Destination) -> None:
        has_room = destination.in_flight < destination.room
        if not destination.has_turn and destination.waiting and has_room:
            destination.has_turn = True
            self._turns.append(name)

    def _first_room(self) -> int:
        return min(self._limits.first_messages, self._limits.messages_per_destination)

    def _learn(self, outcomes: Sequence[Outcome], destination: _Destination) -> None:
        """Give a destination that answers more room, and one that cannot be reached the least."""
        if any(not isinstance(outcome, TryLater) for outcome in outcomes):
            destination.room = min(destination.room + 1, self._limits.messages_per_destination)
        elif not any(outcome.host for outcome in outcomes):
            destination.room = self._first_room()

    def _dispatch(self) -> None:
        """Start one message of each destination in turn, while there is room."""
        if self._dispatching:  # a delivery that ended at once: the loop below goes on with it
            return
        self._dispatching = True
        try:
            while self._turns and self._running and len(self._in_flight) < self._limits.messages_in_flight:
                name = self._turns.popleft()
                destination = self._destinations[name]
                destination.has_turn = False
                if destination.waiting:
                    self._start(name, destination, destination.waiting.popleft())
                self._give_turn(name, destination)
        finally:
            self._dispatching = False

    def _start(self, name: str, destination: _Destination, group: list[QueueItem]) -> None:
        lost = [item for item in group if not self._is_held(item.item_id)]
        if lost:  # this process slept, and another may have them by now
            self._let_go(item.item_id for item in lost)
            group = [item for item in group if item not in lost]
        if not group:
            self._forget_if_empty(name, destination)
            return
        destination.in_flight += 1
        delivering = maybeDeferred(self._delivery.deliver, group)
        self._in_flight.add(delivering)
        ended = delivering.addCallback(self._delivered, group, destination).addErrback(self._broke, group)
        ended.addCallback(self._ended, name, destination, delivering)

    # -- outcomes

    def _delivered(self, outcomes: Sequence[Outcome], group: Sequence[QueueItem], destination: _Destination) -> None:
        self._learn(outcomes, destination)
        self._settling.tell(
            [(item, self._settled(item, outcome)) for item, outcome in zip(group, outcomes, strict=True)]
        )

    def _broke(self, failure: Failure, group: Sequence[QueueItem]) -> None:
        if failure.check(CancelledError) and not self._running:
            return  # the stop gives the lease back
        self._log.failure("delivery of {queue_id} broke", failure=failure, queue_id=group[0].transaction_id)
        self._settling.tell((item, self._settled(item, _LOCAL_ERROR)) for item in group)

    def _settled(self, item: QueueItem, outcome: Outcome) -> Settled:
        """What is to be recorded; logged, one event a recipient and try."""
        settled = self._judged(item, outcome)
        told = settled.outcome
        attempt = Attempt(
            queue_id=item.transaction_id,
            item=item.item_id,
            sender=str(item.sender or ""),
            recipient=str(item.recipient),
            host=outcome.host,
            attempt=item.attempts + 1,
            age_seconds=self._now() - item.created,
            outcome=_NAMES[type(told)],
            status=_SENT if isinstance(told, Delivered) else str(told.status),
            reply=told.reply,
        )
        self._log.info("{attempt}", attempt=attempt)
        return settled

    def _judged(self, item: QueueItem, outcome: Outcome) -> Settled:
        if not isinstance(outcome, TryLater):
            return Settled(item.item_id, self._owner, outcome)
        due = self._schedule.next_due(item.attempts + 1, item.created, self._now(), self._chance)
        if due is not None:
            return Settled(item.item_id, self._owner, outcome, due)
        tries = "a try" if not item.attempts else f"{item.attempts + 1} tries"
        given_up = Failed(_EXPIRED, f"{outcome.reply} (given up after {tries})", outcome.host, outcome.transcript)
        return Settled(item.item_id, self._owner, given_up)

    def _ended(self, _: object, name: str, destination: _Destination, delivering: Deferred[Sequence[Outcome]]) -> None:
        self._in_flight.discard(delivering)
        destination.in_flight -= 1
        if not self._running:
            return
        # The line has just become short enough to lease more for it.
        had_more = len(destination.waiting) == self._limits.line_messages - 1
        self._forget_if_empty(name, destination)
        self._give_turn(name, destination)
        self._dispatch()
        if had_more:
            self._wake()

    def _forget_if_empty(self, name: str, destination: _Destination) -> None:
        if not destination.waiting and not destination.in_flight and not destination.has_turn:
            self._destinations.pop(name, None)

    def _recorded(self, settled: Sequence[Settled]) -> None:
        self._let_go(s.item_id for s in settled)
        due = min((s.next_due for s in settled if isinstance(s.outcome, TryLater)), default=None)
        if due is not None:
            self._ring_in(max(due - self._now(), SHORTEST_WAIT_SECONDS))

    def _let_go(self, item_ids: Iterable[int]) -> None:
        limits = self._limits
        was_full = limits.leased_items - len(self._held) < limits.items_per_lease // 2
        for item_id in item_ids:
            self._held.pop(item_id, None)
        if was_full:
            self._wake()


def _cancel_all(under_way: Iterable[Deferred[Sequence[Outcome]]]) -> None:
    for delivering in under_way:
        delivering.cancel()
