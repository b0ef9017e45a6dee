"""Items: how they come into being, what they tell, how long their bodies stay."""

from __future__ import annotations

from dataclasses import replace

import pytest
from zope.interface.verify import verifyObject

from ...interfaces.queue import IQueueStore
from ...interfaces.store import IOpenBody
from ...mail.address import Address
from ...mail.envelope import BodyType
from ...mail.errors import NoSuchItem, Refused
from ...mail.options import ByMode, DeliverBy, MailOptions, Notify, RecipientOptions, Return
from ...mail.queue_item import Deferred, Delivered, ItemState, QueueItem
from ...mail.transaction import Outgoing, Placement
from ..backend import Backend, on_backend
from ..samples import DATE, body, flags, message, outgoing, place, transaction, unique
from ..store_contract.bodies import large_message, read_whole, staged
from .steps import LATER, enqueue, ids, lease, settled


class ItemsContract:
    """IQueueStore: items and their bodies."""

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
    async def test_an_item_may_be_for_a_mailbox_behind_the_queue(self, backend: Backend) -> None:
        prefix = b"Return-Path: <>\r\nX-Original-To: gr\xc3\xbc\xc3\x9fe@example.test\r\n"
        sender, alias = Address.parse("ann@example.test"), Address.parse("all@example.test")
        waiting = Placement(
            "bob@example.test", "Lists/\u2709", 1, DATE, flags("\\Seen", "work"), prefix, or_inbox=False
        )
        wanted = transaction(
            replace(waiting, sender=sender, recipient=alias),
            outgoing("eve@third.test"),
            bodies=(body(), body(message("second"))),
            now=100.0,
        )
        await backend.store.deliver(wanted.through_queue())
        first, second = await backend.queue.lease("one", 100.0, 160.0, 10, frozenset())
        assert first.placement == replace(waiting, body=0)
        assert second.placement is None
        assert (first.sender, first.original_recipient) == (sender, alias)
        assert first.recipient == Address.parse("bob@example.test")
        assert await read_whole(await backend.queue.open_queued(first.body_id)) == message("second")
        assert (await backend.queue.item(first.item_id)).placement == first.placement
        assert await backend.store.accounts() == []

    @on_backend
    async def test_what_the_client_asked_for_stays_with_the_item(self, backend: Backend) -> None:
        all_of_it = MailOptions(
            smtputf8=True,
            ret=Return.HEADERS,
            envelope_id="QQ314159+2B",
            require_tls=True,
            hold_until=160.0,
            deliver_by=DeliverBy(3600.5, ByMode.NOTIFY, trace=True),
            priority=-9,
            submitter="e+3Dmc2@example.test",
        )
        wishes = [
            (all_of_it, RecipientOptions(notify=Notify.SUCCESS | Notify.DELAY, original="rfc822;Bob@x.test")),
            (MailOptions(ret=Return.FULL, submitter="<>"), RecipientOptions(notify=Notify.NEVER)),
            (
                MailOptions(priority=9, deliver_by=DeliverBy(200.0, ByMode.RETURN)),
                RecipientOptions(original="utf-8;gr\\x{FC}n@x.test"),
            ),
            (MailOptions(), RecipientOptions()),
        ]
        items = [
            replace(outgoing("bob@x.test"), options=mail, recipient_options=recipient) for mail, recipient in wishes
        ]
        await backend.store.deliver(transaction(*items, now=100.0))
        listed = await backend.queue.items()
        assert [(item.options, item.recipient_options) for item in listed] == wishes
        assert (await backend.queue.item(listed[0].item_id)).options == all_of_it
        leased = await backend.queue.lease("one", 160.0, 200.0, 10, frozenset())
        assert {item.options for item in leased} == {mail for mail, _ in wishes}

    @on_backend
    async def test_a_placement_behind_the_queue_keeps_what_was_asked_for(self, backend: Backend) -> None:
        asked = MailOptions(ret=Return.FULL, envelope_id="one"), RecipientOptions(notify=Notify.SUCCESS)
        wanted = replace(place("bob@example.test"), options=asked[0], recipient_options=asked[1])
        await backend.store.deliver(transaction(wanted, now=100.0).through_queue())
        (item,) = await backend.queue.items()
        assert (item.options, item.recipient_options) == asked
        assert item.placement == place("bob@example.test")

    @on_backend
    async def test_an_item_is_held_until_its_time(self, backend: Backend) -> None:
        held, past = (replace(outgoing("a@x.test"), options=MailOptions(hold_until=time)) for time in (400.0, 50.0))
        committed = await backend.store.deliver(transaction(held, past, now=100.0))
        assert [item.due for item in await backend.queue.items()] == [400.0, 100.0]
        assert await lease(backend) == [committed.item_ids[1]]
        assert await backend.queue.next_due(100.0) is not None

    @on_backend
    async def test_local_places_and_queue_are_one_commit(self, backend: Backend) -> None:
        account = await backend.new_account()
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
        account = await backend.new_account()
        made = await enqueue(backend, "a@x.test", "b@y.test")
        await backend.store.deliver(transaction(place(account.name)))
        await lease(backend, limit=1)
        before = list(await backend.queue.items())
        await backend.restart()
        assert list(await backend.queue.items()) == before
        await backend.queue.release_leases("one")
        assert await lease(backend) == made
        assert min(await enqueue(backend, "c@z.test")) > max(made)

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
        account = await backend.new_account()
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
