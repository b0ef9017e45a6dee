"""Which delivery an item is for: a mailbox of this node, or another node. Neighbours: `local`, `remote`."""

from __future__ import annotations

from collections.abc import Sequence

from twisted.internet.defer import Deferred, gatherResults
from zope.interface import implementer

from ..interfaces.queue import IDelivery
from ..mail.queue_item import Outcome, QueueItem


@implementer(IDelivery)
class SortedDelivery:
    """Hands items with a placement to `local`, all others to `remote`; no destination of theirs is the same."""

    def __init__(self, local: IDelivery, remote: IDelivery) -> None:
        self._local = local
        self._remote = remote

    def destination(self, item: QueueItem) -> str:
        """See IDelivery."""
        return self._for(item).destination(item)

    def deliver(self, items: Sequence[QueueItem]) -> Deferred[Sequence[Outcome]]:
        """See IDelivery. Items of one destination are all of one kind."""
        return self._for(items[0]).deliver(items)

    def stop(self) -> Deferred[None]:
        """See IDelivery."""
        return gatherResults([self._local.stop(), self._remote.stop()]).addCallback(lambda _: None)

    def _for(self, item: QueueItem) -> IDelivery:
        return self._remote if item.placement is None else self._local
