"""
The contract of IQueueStore. Inherit `QueueContract` and supply the fixture `backend` (see `testing.backend`).

Every test needs a queue that is empty at first: give each a backend of its own.
"""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from zope.interface.verify import verifyObject

from ..interfaces.queue import IQueueStore
from ..interfaces.store import IOpenBody
from ..mail.address import Address
from ..mail.envelope import BodyType
from ..mail.errors import NoSuchItem, Refused, Unavailable
from ..mail.queue_item import Deferred, Delivered, Failed, ItemState, Outcome, QueueItem, Settled
from ..mail.status import EnhancedStatus
from ..mail.transaction import Outgoing
from .backend import Backend, on_backend
from .samples import body, message, new_account, outgoing, place, transaction, unique
from .store_contract.bodies import large_message, read_whole, staged
from .store_contract.steps import walk_settings

NOBODY_BUSY: frozenset[str] = frozenset()
LATER = EnhancedStatus(4, 2, 2)
NEVER = EnhancedStatus(5, 1, 1)


async def enqueue(backend: Backend, *recipients: str, now: float = 100.0) -> list[int]:
    """One message to each of these, due at `now`. Returns: the items' ids."""
    ids: list[int] = []
    for recipient in recipients:
        ids += (await backend.store.deliver(transaction(outgoing(recipient), now=now))).item_ids
    return ids


async def lease(
    backend: Backend,
    owner: str = "one",
    now: float = 100.0,
    lifetime: float = 60.0,
    limit: int = 100,
    busy: frozenset[str] = NOBODY_BUSY,
) -> list[int]:
    """Lease what is due. Returns: the items' ids."""
    return [item.item_id for item in await backend.queue.lease(owner, now, now + lifetime, limit, busy)]


def settled(item_id: int, outcome: Outcome, owner: str = "one", next_due: float = 0.0) -> Settled:
    """What an owner says of an item."""
    return Settled(item_id, owner, outcome, next_due)


async def ids(backend: Backend) -> list[int]:
    """All items' ids."""
    return [item.item_id for item in await backend.queue.items()]


class Calls:
    """Counts how often it is called."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> None:
        self.count += 1


class QueueContract:
    """IQueueStore."""

    # Coming into being

    @on_backend
    async def test_each_remote_recipient_becomes_an_item_that_is_due(self, backend: Backend) -> None:
        assert verifyObject(IQueueStore, backend.queue)
        content = message("Grüße")
        wish = Outgoing(
            0,
            Address.parse("Ann@example.test"),
            Address.parse("Bob@elsewhere.test"),
            Address.parse("alias@example.test"),
            BodyType.EIGHT_BIT_MIME,
        )
        id = unique("queue-")
        wanted = transaction(wish, outgoing("eve@third.test", sender=None), bodies=(body(content),), now=100.0, id=id)
        committed = await backend.store.deliver(wanted)
        first, second = await backend.queue.items()
        assert committed.item_ids == (first.item_id, second.item_id)
        assert first.item_id < second.item_id
        assert first == QueueItem(
            item_id=first.item_id,
            transaction_id=id,
            body_id=first.body_id,
            body_size=len(content),
            header_size=content.index(b"\r\n\r\n") + 4,
            eight_bit=True,
            body_type=BodyType.EIGHT_BIT_MIME,
            sender=wish.sender,
            recipient=wish.recipient,
            original_recipient=wish.original_recipient,
            state=ItemState.DUE,
            created=100.0,
            due=100.0,
        )
        assert (second.sender, second.original_recipient, second.body_type) == (None, None, BodyType.SEVEN_BIT)
        assert second.body_id == first.body_id

    @on_backend
    async def test_local_places_and_queue_are_one_commit(self, backend: Backend) -> None:
        account = await new_account(backend.store)
        inbox = await account.mailbox("INBOX")
        wanted = transaction(place(account.name, prefix=b"X: y\r\n"), outgoing("bob@elsewhere.test"))
        first = await backend.store.deliver(wanted)
        assert await backend.store.deliver(wanted) == first
        assert await ids(backend) == list(first.item_ids)
        assert (await inbox.status()).messages == 1
        with pytest.raises(Refused):
            await backend.store.deliver(transaction(place("nobody@example.test"), outgoing("bob@elsewhere.test")))
        assert await ids(backend) == list(first.item_ids)

    @on_backend
    async def test_a_second_delivery_makes_no_item_though_the_first_has_left(self, backend: Backend) -> None:
        wanted = transaction(outgoing("bob@elsewhere.test"), now=100.0)
        first = await backend.store.deliver(wanted)
        await lease(backend)
        await backend.queue.settle(101.0, [settled(first.item_ids[0], Delivered("250 ok", "mx"))])
        assert await backend.store.deliver(wanted) == first
        assert await ids(backend) == []

    @on_backend
    async def test_items_are_there_after_a_restart(self, backend: Backend) -> None:
        account = await new_account(backend.store)
        made = await enqueue(backend, "a@x.test", "b@y.test")
        await backend.store.deliver(transaction(place(account.name)))
        await lease(backend, limit=1)
        before = list(await backend.queue.items())
        await backend.restart()
        assert list(await backend.queue.items()) == before
        await backend.queue.release_leases("one")
        assert await lease(backend) == made
        assert min(await enqueue(backend, "c@z.test")) > max(made)

    # Looking

    @on_backend
    async def test_items_come_in_pages_by_id_without_transcripts(self, backend: Backend) -> None:
        made = await enqueue(backend, *(f"user{number}@x.test" for number in range(5)))
        await lease(backend)
        await backend.queue.settle(
            101.0, [settled(made[1], Deferred(LATER, "450 no", "mx", "C: QUIT"), next_due=500.0)]
        )
        first = await backend.queue.items(limit=2)
        assert [item.item_id for item in first] == made[:2]
        rest = await backend.queue.items(limit=10, after_item_id=made[1])
        assert [item.item_id for item in rest] == made[2:]
        assert [item.transcript for item in first] == ["", ""]
        assert (await backend.queue.item(made[1])).transcript == "C: QUIT"
        assert list(await backend.queue.items(after_item_id=made[-1])) == []

    @on_backend
    async def test_an_item_that_is_not_there_is_told(self, backend: Backend) -> None:
        with pytest.raises(NoSuchItem):
            await backend.queue.item(12_345)
        with pytest.raises(NoSuchItem):
            await backend.queue.open_queued(12_345)

    @on_backend
    async def test_a_queued_body_is_read_without_any_prefix(self, backend: Backend) -> None:
        account = await new_account(backend.store)
        large = large_message()
        bodies = (body(), await staged(backend.store, large))
        await backend.store.deliver(
            transaction(
                place(account.name, body=1, prefix=b"Delivered-To: x@example.test\r\n"),
                outgoing("a@x.test", body=0),
                outgoing("b@x.test", body=1),
                outgoing("c@x.test", body=1),
                bodies=bodies,
                now=100.0,
            )
        )
        items = await backend.queue.items()
        assert [item.body_size for item in items] == [len(message()), len(large), len(large)]
        for item, content in zip(items, (message(), large, large), strict=True):
            opened = await backend.queue.open_queued(item.body_id)
            assert verifyObject(IOpenBody, opened)
            assert opened.size == len(content)
            assert await read_whole(opened) == content

    @on_backend
    async def test_a_body_stays_while_an_item_needs_it(self, backend: Backend) -> None:
        committed = await backend.store.deliver(transaction(outgoing("a@x.test"), outgoing("b@x.test"), now=100.0))
        body_id = (await backend.queue.item(committed.item_ids[0])).body_id
        await lease(backend)
        await backend.queue.settle(101.0, [settled(committed.item_ids[0], Delivered("250 ok", "mx"))])
        backend.advance(48 * 3600)
        await enqueue(backend, "c@x.test")
        assert await read_whole(await backend.queue.open_queued(body_id)) == message()

    # Leases

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

    # Outcomes

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
        account = await new_account(backend.store)
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
        await backend.queue.settle(102.0, failed, bounces)
        assert (await (await account.mailbox("INBOX")).status()).messages == 1
        assert await ids(backend) == [bounce.item_id]

    @on_backend
    async def test_a_follow_up_that_cannot_be_leaves_the_outcomes_unrecorded(self, backend: Backend) -> None:
        account = await new_account(backend.store)
        (made,) = await enqueue(backend, "a@x.test")
        await lease(backend)
        before = list(await backend.queue.items())
        follow_ups = [transaction(place(account.name)), transaction(place("nobody@example.test"))]
        with pytest.raises(Refused):
            await backend.queue.settle(101.0, [settled(made, Failed(NEVER, "550 no", "mx"))], follow_ups)
        assert list(await backend.queue.items()) == before
        assert (await (await account.mailbox("INBOX")).status()).messages == 0

    # By hand

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

    # When

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

    # Being told

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

    # Whatever happens

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
