"""Several owners, whatever they do: nobody has what another has, and nothing is lost."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from ...mail.queue_item import Deferred, Delivered, ItemState, Outcome, QueueItem
from ..backend import Backend
from ..store_contract.steps import walk_settings
from .steps import LATER, enqueue, ids, lease, settled


class OwnershipContract:
    """IQueueStore under any order of calls."""

    def test_nobody_has_what_another_has_whatever_happens(self, backend: Backend) -> None:
        @walk_settings
        @given(data=st.data())
        def many_owners(data: st.DataObject) -> None:
            backend.run(self._many_owners(backend, data))

        many_owners()

    async def _many_owners(self, backend: Backend, data: st.DataObject) -> None:
        queue = backend.queue
        await queue.drop(await ids(backend))
        now = 1000.0
        held: dict[int, tuple[str, float]] = {}  # by item: who has it, and until when
        due: dict[int, float] = {}
        domains = ("x.test", "y.test", "z.test")
        for _ in range(data.draw(st.integers(5, 25))):
            owner = data.draw(st.sampled_from(["one", "two"]))
            now += data.draw(st.sampled_from([0.0, 1.0, 20.0]))
            mine = [item_id for item_id, (holder, _) in held.items() if holder == owner]
            match data.draw(
                st.sampled_from(["enqueue", "lease", "lease", "renew", "settle", "defer", "release", "retry"])
            ):
                case "enqueue":
                    for item_id in await enqueue(backend, f"u@{data.draw(st.sampled_from(domains))}", now=now):
                        due[item_id] = now
                case "lease":
                    limit = data.draw(st.integers(1, 3))
                    leased = await lease(backend, owner, now, 15.0, limit)
                    free = {i: t for i, t in due.items() if t <= now and (i not in held or held[i][1] <= now)}
                    assert set(leased) <= set(free)
                    assert len(leased) == min(limit, len(free))
                    assert [free[item_id] for item_id in leased] == sorted(free.values())[:limit]
                    held.update({item_id: (owner, now + 15.0) for item_id in leased})
                case "renew":
                    alive = [item_id for item_id in mine if held[item_id][1] > now]
                    await queue.renew(owner, alive, now + 30.0)
                    held.update({item_id: (owner, now + 30.0) for item_id in alive})
                case "settle" | "defer" as outcome:
                    alive = [item_id for item_id in mine if held[item_id][1] > now][:2]
                    told: Outcome = Delivered("250 ok", "mx") if outcome == "settle" else Deferred(LATER, "450 no")
                    await queue.settle(now, [settled(i, told, owner, now + 25.0) for i in alive])
                    for item_id in alive:
                        del held[item_id]
                        if outcome == "settle":
                            del due[item_id]
                        else:
                            due[item_id] = now + 25.0
                case "release":
                    await queue.release_leases(owner)
                    held = {item_id: lease for item_id, lease in held.items() if lease[0] != owner}
                case "retry":
                    await queue.retry(None, now)
                    for item in await queue.items():
                        if item.item_id not in held or held[item.item_id][1] <= now:
                            assert item.due <= now
                        due[item.item_id] = item.due
            await self._check_items(backend, due, held, now)

    async def _check_items(
        self, backend: Backend, due: dict[int, float], held: dict[int, tuple[str, float]], now: float
    ) -> None:
        items: Sequence[QueueItem] = await backend.queue.items()
        assert [item.item_id for item in items] == sorted(due)
        for item in items:
            owner, until = held.get(item.item_id, ("", 0.0))
            if until > now:
                assert (item.state, item.lease_owner, item.lease_until) == (ItemState.LEASED, owner, until)
        free = [t for i, t in due.items() if i not in held or held[i][1] <= now]
        ends = [until for i, (_, until) in held.items() if until > now]
        expected = max(now, min([*free, *ends])) if due else None
        assert await backend.queue.next_due(now) == expected
