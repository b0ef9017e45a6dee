"""What becomes of an item: by its outcome, or by hand."""

from __future__ import annotations

import pytest

from ...mail.errors import NoSuchItem, NotHeld, Refused
from ...mail.queue_item import Deferred, Delivered, Failed, ItemState, Outcome
from ..backend import Backend, on_backend
from ..samples import body, message, outgoing, place, transaction
from .steps import LATER, NEVER, enqueue, ids, lease, settled


class OutcomesContract:
    """IQueueStore: settle, retry, drop."""

    @pytest.mark.parametrize("outcome", [Delivered("250 ok", "mx.x.test"), Failed(NEVER, "550 no such user", "mx")])
    @on_backend
    async def test_delivered_and_failed_items_leave(self, backend: Backend, outcome: Outcome) -> None:
        made = await enqueue(backend, "a@x.test", "b@x.test")
        await lease(backend)
        await backend.queue.settle(101.0, [settled(made[0], outcome)])
        assert await ids(backend) == made[1:]
        with pytest.raises(NoSuchItem):
            await backend.queue.item(made[0])

    @on_backend
    async def test_a_deferred_item_is_due_again_later_and_tells_why(self, backend: Backend) -> None:
        (made,) = await enqueue(backend, "a@x.test")
        for attempt, text in ((1, "450 later"), (2, "451 much later")):
            await backend.queue.retry(None, 100.0)
            await lease(backend, "one", now=100.0)
            outcome = Deferred(LATER, text, "mx.x.test", f"S: {text}")
            await backend.queue.settle(101.0, [settled(made, outcome, next_due=1000.0)])
            item = await backend.queue.item(made)
            assert (item.state, item.due, item.attempts) == (ItemState.DUE, 1000.0, attempt)
            assert (item.lease_owner, item.lease_until) == ("", 0.0)
            assert (item.last_status, item.last_reply) == (LATER, text)
            assert (item.last_host, item.transcript) == ("mx.x.test", f"S: {text}")
            assert item.created == 100.0
        assert await lease(backend, now=999.0) == []
        assert await lease(backend, now=1000.0) == [made]

    @on_backend
    async def test_outcomes_of_items_that_are_not_held_are_ignored(self, backend: Backend) -> None:
        made = await enqueue(backend, "a@x.test", "b@x.test", "c@x.test")
        await lease(backend, "one", limit=1)
        await lease(backend, "two", limit=1)
        before = list(await backend.queue.items())
        await backend.queue.settle(
            101.0,
            [
                settled(made[1], Delivered("250 ok", "mx"), owner="one"),
                settled(made[2], Failed(NEVER, "550 no", "mx"), owner="one"),
                settled(made[2], Delivered("250 ok", "mx"), owner=""),
                settled(99_999, Delivered("250 ok", "mx"), owner="one"),
                settled(made[0], Deferred(LATER, "450 no"), owner="two", next_due=7.0),
            ],
        )
        assert list(await backend.queue.items()) == before

    @on_backend
    async def test_an_item_is_settled_once(self, backend: Backend) -> None:
        (made,) = await enqueue(backend, "a@x.test")
        await lease(backend)
        await backend.queue.settle(101.0, [settled(made, Deferred(LATER, "450 no"), next_due=500.0)])
        await backend.queue.settle(102.0, [settled(made, Delivered("250 ok", "mx"))])
        assert (await backend.queue.item(made)).due == 500.0

    @on_backend
    async def test_follow_ups_are_committed_with_the_outcomes(self, backend: Backend) -> None:
        account = await backend.new_account()
        made = await enqueue(backend, "a@x.test", "b@x.test")
        await lease(backend)
        bounces = [
            transaction(place(account.name), bodies=(body(message("bounced")),), now=101.0),
            transaction(outgoing("ann@elsewhere.test", sender=None), now=101.0),
        ]
        failed = [settled(item_id, Failed(NEVER, "550 no", "mx")) for item_id in made]
        await backend.queue.settle(101.0, failed, bounces)
        assert (await (await account.mailbox("INBOX")).status()).messages == 1
        (bounce,) = await backend.queue.items()
        assert (bounce.transaction_id, bounce.sender, bounce.due) == (bounces[1].id, None, 101.0)
        with pytest.raises(NotHeld):
            await backend.queue.settle(102.0, failed, bounces)
        assert (await (await account.mailbox("INBOX")).status()).messages == 1
        assert await ids(backend) == [bounce.item_id]

    @on_backend
    async def test_nobody_is_told_of_what_is_not_held(self, backend: Backend) -> None:
        made = await enqueue(backend, "a@x.test", "b@x.test", "c@x.test", "d@x.test")
        await lease(backend, "one", limit=2)
        await lease(backend, "two", limit=2)
        before = list(await backend.queue.items())
        told = [
            settled(made[0], Failed(NEVER, "550 no", "mx"), owner="one"),
            settled(made[1], Deferred(LATER, "450 no"), owner="one", next_due=500.0),
            settled(made[2], Failed(NEVER, "550 no", "mx"), owner="one"),
            settled(made[3], Deferred(LATER, "450 no"), owner="one", next_due=500.0),
        ]
        bounce = transaction(outgoing("ann@elsewhere.test", sender=None), now=101.0)
        with pytest.raises(NotHeld) as caught:
            await backend.queue.settle(101.0, told, [bounce])
        assert caught.value.item_ids == {made[2], made[3]}
        assert list(await backend.queue.items()) == before
        await backend.queue.settle(101.0, told[:2], [bounce])
        assert made[0] not in await ids(backend)
        assert len(await backend.queue.items()) == 4

    @on_backend
    async def test_a_follow_up_that_cannot_be_leaves_the_outcomes_unrecorded(self, backend: Backend) -> None:
        account = await backend.new_account()
        (made,) = await enqueue(backend, "a@x.test")
        await lease(backend)
        before = list(await backend.queue.items())
        follow_ups = [transaction(place(account.name)), transaction(place("nobody@example.test"))]
        with pytest.raises(Refused):
            await backend.queue.settle(101.0, [settled(made, Failed(NEVER, "550 no", "mx"))], follow_ups)
        assert list(await backend.queue.items()) == before
        assert (await (await account.mailbox("INBOX")).status()).messages == 0

    @on_backend
    async def test_retry_makes_waiting_items_due_now_and_leaves_leased_ones(self, backend: Backend) -> None:
        made = await enqueue(backend, *(f"u{number}@x.test" for number in range(4)))
        await lease(backend)
        later = [settled(item_id, Deferred(LATER, "450 no"), next_due=5000.0) for item_id in made[:3]]
        await backend.queue.settle(101.0, later)
        assert await backend.queue.retry([made[0], made[3], 99_999], 150.0) == 1
        assert [(await backend.queue.item(item_id)).due for item_id in made[:2]] == [150.0, 5000.0]
        assert await lease(backend, "two", now=150.0) == made[:1]
        assert await backend.queue.retry(None, 155.0) == 2
        assert await lease(backend, "two", now=155.0) == made[1:3]
        assert (await backend.queue.item(made[3])).lease_owner == "one"
        assert (await backend.queue.item(made[1])).attempts == 1

    @on_backend
    async def test_dropped_items_are_gone_also_leased_ones(self, backend: Backend) -> None:
        made = await enqueue(backend, "a@x.test", "b@x.test", "c@x.test")
        await lease(backend, limit=1)
        assert await backend.queue.drop([made[0], made[1], 99_999]) == 2
        assert await backend.queue.drop([made[0]]) == 0
        await backend.queue.settle(101.0, [settled(made[0], Deferred(LATER, "450 no"), next_due=5.0)])
        assert await ids(backend) == made[2:]
