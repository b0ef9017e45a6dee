"""
The way in where mailboxes are in a store that cannot hold the queue: everything is committed to the queue first.

It decides that a placement becomes an item like any other, and so that one commit takes a message for everybody;
`delivery.local` makes the placements from there. Neighbours: intake commits here, `runner` and `settling` use it as
their queue.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from twisted.internet.defer import Deferred
from zope.interface import implementer

from ..interfaces.queue import IQueueStore
from ..interfaces.store import IAcceptance, IBodyWriter, IMailStore, IOpenBody
from ..mail.queue_item import QueueItem, Settled
from ..mail.transaction import Committed, Transaction


@implementer(IAcceptance, IQueueStore)
class Spool:
    """
    A store's queue, with whatever is committed through it.

    Args:
        store: provides IQueueStore as well; its own mailboxes are not used.
    """

    def __init__(self, store: IMailStore) -> None:
        self._store = store
        self._queue = IQueueStore(store)

    # IAcceptance

    def stage_body(self) -> IBodyWriter:
        """See IBodyStaging."""
        return self._store.stage_body()

    def deliver(self, transaction: Transaction) -> Deferred[Committed]:
        """See IAcceptance. Nothing is refused; the outcome has items alone, those of the placements first."""
        return self._store.deliver(transaction.through_queue())

    # IQueueStore

    def lease(
        self, owner: str, now: float, until: float, limit: int, busy: frozenset[str]
    ) -> Deferred[Sequence[QueueItem]]:
        """See IQueueStore."""
        return self._queue.lease(owner, now, until, limit, busy)

    def renew(self, owner: str, item_ids: Sequence[int], until: float) -> Deferred[None]:
        """See IQueueStore."""
        return self._queue.renew(owner, item_ids, until)

    def settle(self, now: float, settled: Sequence[Settled], follow_ups: Sequence[Transaction] = ()) -> Deferred[None]:
        """See IQueueStore. Reports to mailboxes here become items too."""
        return self._queue.settle(now, settled, [transaction.through_queue() for transaction in follow_ups])

    def next_due(self, now: float) -> Deferred[float | None]:
        """See IQueueStore."""
        return self._queue.next_due(now)

    def release_leases(self, owner: str) -> Deferred[None]:
        """See IQueueStore."""
        return self._queue.release_leases(owner)

    def items(self, limit: int = 1000, after_item_id: int = 0) -> Deferred[Sequence[QueueItem]]:
        """See IQueueStore."""
        return self._queue.items(limit, after_item_id)

    def item(self, item_id: int) -> Deferred[QueueItem]:
        """See IQueueStore."""
        return self._queue.item(item_id)

    def retry(self, item_ids: Sequence[int] | None, now: float) -> Deferred[int]:
        """See IQueueStore."""
        return self._queue.retry(item_ids, now)

    def drop(self, item_ids: Sequence[int]) -> Deferred[int]:
        """See IQueueStore."""
        return self._queue.drop(item_ids)

    def open_queued(self, body_id: int) -> Deferred[IOpenBody]:
        """See IQueueStore."""
        return self._queue.open_queued(body_id)

    def watch_queue(self, listener: Callable[[], None]) -> None:
        """See IQueueStore."""
        self._queue.watch_queue(listener)
