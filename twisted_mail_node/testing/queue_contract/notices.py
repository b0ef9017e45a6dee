"""Who is told that there is something to do, and what a stopped queue says."""

from __future__ import annotations

import pytest

from ...mail.errors import Unavailable
from ...mail.queue_item import Deferred, Delivered, Failed
from ..backend import Backend, on_backend
from ..samples import outgoing, transaction
from .steps import LATER, NEVER, NOBODY_BUSY, Calls, enqueue, ids, lease, settled


class QueueNoticesContract:
    """IQueueStore: watch_queue, start and stop."""

    @on_backend
    async def test_listeners_are_told_of_items_that_became_due(self, backend: Backend) -> None:
        calls = Calls()
        backend.queue.watch_queue(calls)
        (made,) = await enqueue(backend, "a@x.test")
        await backend.until(lambda: calls.count > 0)
        await lease(backend)
        told = calls.count
        await backend.queue.release_leases("one")
        await backend.until(lambda: calls.count > told)
        await lease(backend)
        await backend.queue.settle(101.0, [settled(made, Deferred(LATER, "450 no"), next_due=5000.0)])
        told = calls.count
        await backend.queue.retry([made], 102.0)
        await backend.until(lambda: calls.count > told)
        await lease(backend, now=103.0)
        told = calls.count
        follow_up = transaction(outgoing("b@x.test"), now=104.0)
        await backend.queue.settle(104.0, [settled(made, Failed(NEVER, "550 no", "mx"))], [follow_up])
        await backend.until(lambda: calls.count > told)

    @on_backend
    async def test_a_listener_may_lease_at_once(self, backend: Backend) -> None:
        asked = []
        backend.queue.watch_queue(lambda: asked.append(backend.queue.lease("one", 100.0, 160.0, 10, NOBODY_BUSY)))
        made = await enqueue(backend, "a@x.test")
        await backend.until(lambda: bool(asked))
        leased = [item.item_id for deferred in asked for item in await deferred]
        assert leased == made

    @on_backend
    async def test_a_stopped_queue_says_so(self, backend: Backend) -> None:
        (made,) = await enqueue(backend, "a@x.test")
        queue = backend.queue
        await backend.store.stop()
        for call in (
            lambda: queue.lease("one", 100.0, 160.0, 1, NOBODY_BUSY),
            lambda: queue.settle(101.0, [settled(made, Delivered("250 ok", "mx"))]),
            lambda: queue.items(),
            lambda: queue.next_due(1.0),
        ):
            with pytest.raises(Unavailable):
                await call()
        await backend.open_again()
        assert await ids(backend) == [made]
