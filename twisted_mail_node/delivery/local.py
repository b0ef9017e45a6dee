"""
Delivers queued messages into mailboxes of this node, where these are in a store that cannot hold the queue.

It decides each recipient's outcome out of what the store said. A placement is a transaction with an id of its own,
made of the message's and the item's: tried again after a crash, it changes nothing where it was made already.
Neighbours: `queue.spool` makes the items, `sorting` sends them here.
"""

from __future__ import annotations

from collections.abc import Sequence

from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from ..interfaces.deferred import returns_deferred
from ..interfaces.queue import IDelivery, IQueueStore
from ..interfaces.store import IMailStore, IOpenBody
from ..mail.columns import INLINE_BODY_OCTETS
from ..mail.errors import PermanentFailure, Refused, TemporaryFailure
from ..mail.queue_item import Deferred as TryLater
from ..mail.queue_item import Delivered, Failed, Outcome, QueueItem
from ..mail.status import EnhancedStatus
from ..mail.transaction import Body, Transaction

DESTINATION = "mailboxes of this node"
"""No domain is called so."""

PIECE_OCTETS = 64 * 1024

_DELIVERED = Delivered("delivered to the mailbox", "")
_LOCAL_ERROR = TryLater(EnhancedStatus(4, 3, 0), "local error")


@implementer(IDelivery)
class LocalDelivery:
    """Delivers items that have a placement: bodies come from `queue`, and go into `store`."""

    _log = Logger()

    def __init__(self, queue: IQueueStore, store: IMailStore) -> None:
        self._queue = queue
        self._store = store

    def destination(self, item: QueueItem) -> str:
        """See IDelivery: one for all, the store."""
        return DESTINATION

    @returns_deferred
    async def deliver(self, items: Sequence[QueueItem]) -> Sequence[Outcome]:
        """See IDelivery. Cancelling leaves it open which of them were delivered; to try again does no harm."""
        first = items[0]
        try:
            content = await self._content(first) if first.body_size <= INLINE_BODY_OCTETS else None
        except CancelledError:
            raise
        except Exception:
            self._log.failure("cannot read {transaction_id}", transaction_id=first.transaction_id)
            return [_LOCAL_ERROR] * len(items)
        if content is not None:
            under_way = [self._deliver(item, _body(item, content)) for item in items]
            return [await delivering for delivering in under_way]
        return [await self._deliver_large(item) for item in items]

    def stop(self) -> Deferred[None]:
        """See IDelivery. There is nothing that stays open."""
        return succeed(None)

    # -- inside

    async def _content(self, item: QueueItem) -> bytes:
        opened: IOpenBody = await self._queue.open_queued(item.body_id)
        try:
            return await opened.read(0, item.body_size)
        finally:
            opened.close()

    @returns_deferred
    async def _deliver_large(self, item: QueueItem) -> Outcome:
        """Stage the body with the store anew for each recipient: a staged one serves one transaction."""
        writer = self._store.stage_body()
        try:
            opened: IOpenBody = await self._queue.open_queued(item.body_id)
            try:
                offset = 0
                while piece := await opened.read(offset, PIECE_OCTETS):
                    await writer.write(piece)
                    offset += len(piece)
            finally:
                opened.close()
            body = await writer.finish(item.header_size, item.eight_bit)
            outcome: Outcome = await self._deliver(item, body)
        except CancelledError:
            raise
        except Exception as error:
            outcome = self._outcome_of(error, item)
        finally:
            writer.abort()  # of a body that has come into the store nothing is taken away
        return outcome

    @returns_deferred
    async def _deliver(self, item: QueueItem, body: Body) -> Outcome:
        placement = item.placement
        assert placement is not None
        id = f"{item.transaction_id}-{item.item_id}"
        try:
            await self._store.deliver(Transaction(id, item.created, (body,), (placement,)))
        except CancelledError:
            raise
        except Exception as error:
            return self._outcome_of(error, item)
        return _DELIVERED

    def _outcome_of(self, error: Exception, item: QueueItem) -> Outcome:
        match error:
            case Refused():
                status, text = next(iter(error.refusals.values()))
                return Failed(status, text) if status.class_ == 5 else TryLater(status, text)
            case PermanentFailure():
                return Failed(error.status, error.text)
            case TemporaryFailure():
                return TryLater(error.status, error.text)
            case _:
                failure = Failure(error)
                self._log.failure("cannot deliver {transaction_id} here", failure, transaction_id=item.transaction_id)
        return _LOCAL_ERROR


def _body(item: QueueItem, content: bytes) -> Body:
    return Body(item.body_size, item.header_size, content, eight_bit=item.eight_bit)
