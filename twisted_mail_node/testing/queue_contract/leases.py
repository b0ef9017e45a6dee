"""Leases: who has what, until when, and when there is something to have."""

from __future__ import annotations

from ...mail.queue_item import Deferred, Delivered, ItemState
from ..backend import Backend, on_backend
from .steps import LATER, NOBODY_BUSY, enqueue, lease, settled


class LeasesContract:
    """IQueueStore: lease, renew, release_leases, next_due."""

    @on_backend
    async def test_a_lease_names_its_owner_and_end(self, backend: Backend) -> None:
        (made,) = await enqueue(backend, "a@x.test")
        (leased,) = await backend.queue.lease("one", 100.0, 160.0, 10, NOBODY_BUSY)
        assert (leased.item_id, leased.state) == (made, ItemState.LEASED)
        assert (leased.lease_owner, leased.lease_until) == ("one", 160.0)
        assert await backend.queue.item(made) == leased

    @on_backend
    async def test_only_what_is_due_is_leased(self, backend: Backend) -> None:
        early, late = await enqueue(backend, "a@x.test", now=100.0), await enqueue(backend, "b@x.test", now=200.0)
        assert await lease(backend, now=99.0) == []
        assert await lease(backend, now=100.0) == early
        assert await lease(backend, now=199.0, owner="two", lifetime=1) == early
        assert await lease(backend, now=200.0) == [*early, *late]

    @on_backend
    async def test_the_longest_due_come_first_up_to_the_limit(self, backend: Backend) -> None:
        made = {now: (await enqueue(backend, f"u{now}@d{now % 3}.test", now=float(now)))[0] for now in (7, 3, 9, 1, 5)}
        assert await lease(backend, limit=2) == [made[1], made[3]]
        assert await lease(backend, limit=0) == []
        assert await lease(backend, limit=2) == [made[5], made[7]]
        assert await lease(backend, limit=2) == [made[9]]

    @on_backend
    async def test_two_owners_never_have_the_same_item(self, backend: Backend) -> None:
        made = await enqueue(backend, *(f"u{number}@d{number % 3}.test" for number in range(40)))
        asked = [backend.queue.lease(f"owner-{n % 2}", 100.0, 160.0, 7, NOBODY_BUSY) for n in range(8)]
        leased = [item.item_id for deferred in asked for item in await deferred]
        assert sorted(leased) == made
        assert await lease(backend, owner="third", now=159.0) == []

    @on_backend
    async def test_a_lease_that_has_ended_is_taken_over(self, backend: Backend) -> None:
        (made,) = await enqueue(backend, "a@x.test")
        assert await lease(backend, "one", now=100.0, lifetime=60) == [made]
        assert await lease(backend, "two", now=159.0) == []
        assert await lease(backend, "two", now=161.0) == [made]
        assert (await backend.queue.item(made)).lease_owner == "two"
        await backend.queue.settle(162.0, [settled(made, Delivered("250 ok", "mx"), owner="one")])
        await backend.queue.renew("one", [made], 900.0)
        item = await backend.queue.item(made)
        assert (item.lease_owner, item.lease_until) == ("two", 221.0)

    @on_backend
    async def test_a_renewed_lease_lasts_longer(self, backend: Backend) -> None:
        mine = await enqueue(backend, "a@x.test", "b@x.test")
        await lease(backend, "one")
        others = await enqueue(backend, "c@x.test")
        await lease(backend, "two")
        await backend.queue.renew("one", [mine[0], others[0], 99_999], 400.0)
        assert await lease(backend, "three", now=399.0) == [mine[1], others[0]]
        assert (await backend.queue.item(mine[0])).lease_owner == "one"
        assert await lease(backend, "three", now=401.0) == mine[:1]

    @on_backend
    async def test_busy_domains_are_passed_over(self, backend: Backend) -> None:
        slow = await enqueue(backend, *(f"u{number}@slow.test" for number in range(20)), now=50.0)
        quick = await enqueue(backend, "u@quick.test", "v@quick.test")
        assert await lease(backend, limit=5, busy=frozenset({"slow.test", "unknown.test"})) == quick
        assert await lease(backend, limit=5) == slow[:5]
        assert await lease(backend, limit=100, busy=frozenset({"quick.test"})) == slow[5:]

    @on_backend
    async def test_an_ended_lease_of_a_busy_domain_waits_for_its_turn(self, backend: Backend) -> None:
        made = await enqueue(backend, "a@slow.test")
        await lease(backend, "one", now=100.0, lifetime=10)
        assert await lease(backend, "two", now=120.0, busy=frozenset({"slow.test"})) == []
        assert await lease(backend, "two", now=120.0) == made

    @on_backend
    async def test_released_leases_are_due_at_once(self, backend: Backend) -> None:
        mine = await enqueue(backend, "a@x.test", "b@y.test")
        await lease(backend, "one", lifetime=3600)
        others = await enqueue(backend, "c@x.test")
        await lease(backend, "two", lifetime=3600)
        await backend.queue.release_leases("one")
        await backend.queue.release_leases("nobody")
        assert [(await backend.queue.item(item_id)).state for item_id in mine] == [ItemState.DUE] * 2
        assert (await backend.queue.item(mine[0])).lease_owner == ""
        assert await lease(backend, "three", now=101.0) == mine
        assert (await backend.queue.item(others[0])).lease_owner == "two"

    @on_backend
    async def test_next_due_is_the_nearest_of_due_times_and_lease_ends(self, backend: Backend) -> None:
        queue = backend.queue
        assert await queue.next_due(50.0) is None
        first, second = await enqueue(backend, "a@x.test", now=100.0) + await enqueue(backend, "b@y.test", now=300.0)
        assert await queue.next_due(50.0) == 100.0
        assert await queue.next_due(120.0) == 120.0
        assert await lease(backend, now=120.0, lifetime=60) == [first]
        assert await queue.next_due(120.0) == 180.0
        await queue.renew("one", [first], 250.0)
        assert await queue.next_due(120.0) == 250.0
        assert await queue.next_due(260.0) == 260.0
        await queue.renew("one", [first], 400.0)
        assert await queue.next_due(120.0) == 300.0
        await queue.settle(130.0, [settled(first, Deferred(LATER, "450 no"), next_due=200.0)])
        assert await queue.next_due(130.0) == 200.0
        await queue.drop([first])
        assert await queue.next_due(130.0) == 300.0
        await queue.drop([second])
        assert await queue.next_due(130.0) is None
