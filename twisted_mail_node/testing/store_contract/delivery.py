"""The transaction: all of it or nothing, once."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.internet.defer import CancelledError, Deferred

from ...mail.columns import FetchItem, InternalDate
from ...mail.errors import Refused
from ...mail.transaction import Placement, Transaction
from ...mail.uid_set import UIDSet
from ..backend import Backend, on_backend
from ..samples import body, flags, message, place, transaction, unique

EVERYTHING = UIDSet.span(1, 2**32 - 1)


class DeliveryContract:
    """IMailStore.deliver."""

    @on_backend
    async def test_a_message_comes_to_every_place_and_the_outcome_tells_where(self, backend: Backend) -> None:
        one = await backend.new_account(("Lists", None))
        other = await backend.new_account()
        wanted = transaction(place(other.name), place(one.name, "Lists"), place(one.name))
        committed = await backend.store.deliver(wanted)
        assert len(committed.placed) == 3
        assert committed.item_ids == ()
        for placed, account, name in zip(committed.placed, (other, one, one), ("INBOX", "Lists", "INBOX"), strict=True):
            mailbox = await account.mailbox(name)
            status = await mailbox.status()
            assert (placed.mailbox_id, placed.uid_validity) == (status.mailbox_id, status.uid_validity)
            columns = await mailbox.fetch(UIDSet.of([placed.uid]), FetchItem.BODY)
            assert list(columns.bodies or ()) == [message()]
            assert status.messages == 1

    @on_backend
    async def test_flags_date_and_prefix_are_those_of_the_placement(self, backend: Backend) -> None:
        account = await backend.new_account()
        prefix = b"Return-Path: <ann@example.test>\r\nDelivered-To: bob@example.test\r\n"
        content = message("Grüße")
        date = InternalDate(1_234_567_890, -210)
        wanted = Placement(account.name, "INBOX", 0, date, flags("\\Seen", "$Label1"), prefix)
        await backend.store.deliver(transaction(wanted, bodies=(body(content),)))
        inbox = await account.mailbox("INBOX")
        columns = await inbox.fetch(
            EVERYTHING,
            FetchItem.FLAGS | FetchItem.INTERNAL_DATE | FetchItem.SIZE | FetchItem.BODY,
        )
        assert list(columns.flags or ()) == [flags("\\Seen", "$Label1")]
        assert list(columns.internal_dates or ()) == [date]
        assert list(columns.sizes or ()) == [len(prefix) + len(content)]
        assert list(columns.bodies or ()) == [prefix + content]
        status = await inbox.status()
        assert (status.size, status.unseen) == (len(prefix) + len(content), 0)

    @on_backend
    async def test_a_missing_mailbox_becomes_inbox_where_that_is_allowed(self, backend: Backend) -> None:
        account = await backend.new_account()
        await backend.store.deliver(transaction(place(account.name, "Nowhere")))
        assert (await (await account.mailbox("INBOX")).status()).messages == 1
        with pytest.raises(Refused) as caught:
            await backend.store.deliver(transaction(place(account.name, "Nowhere", or_inbox=False)))
        assert set(caught.value.refusals) == {0}
        assert (await (await account.mailbox("INBOX")).status()).messages == 1

    @on_backend
    async def test_mailbox_names_of_placements_are_judged_as_others_are(self, backend: Backend) -> None:
        account = await backend.new_account(("Entw\u00fcrfe", None))
        await backend.store.deliver(
            transaction(
                place(account.name, "inbox", or_inbox=False), place(account.name, "Entwu\u0308rfe", or_inbox=False)
            )
        )
        for info in await account.mailboxes():
            assert (await (await account.mailbox(info.name)).status()).messages == 1

    @on_backend
    async def test_one_missing_account_refuses_all_and_leaves_nothing(self, backend: Backend) -> None:
        account = await backend.new_account()
        inbox = await account.mailbox("INBOX")
        before = await inbox.status()
        wanted = transaction(
            place(account.name), place("nobody@example.test"), place(account.name), place("noone@example.test")
        )
        for _ in range(2):
            with pytest.raises(Refused) as caught:
                await backend.store.deliver(wanted)
            assert set(caught.value.refusals) == {1, 3}
            status, text = caught.value.refusals[1]
            assert status.class_ in (4, 5)
            assert text
            assert await inbox.status() == before

    @on_backend
    async def test_a_second_delivery_of_one_id_changes_nothing_and_answers_the_same(self, backend: Backend) -> None:
        account = await backend.new_account()
        wanted = transaction(place(account.name), place(account.name))
        first = await backend.store.deliver(wanted)
        inbox = await account.mailbox("INBOX")
        before = await inbox.status()
        assert await backend.store.deliver(wanted) == first
        assert await inbox.status() == before
        await inbox.expunge(EVERYTHING, only_deleted=False)
        assert await backend.store.deliver(wanted) == first
        assert (await inbox.status()).messages == 0

    @on_backend
    async def test_several_bodies_go_where_each_belongs(self, backend: Backend) -> None:
        account = await backend.new_account(("Other", None))
        bodies = (body(message("first")), body(message("second")))
        await backend.store.deliver(
            transaction(place(account.name, body=1), place(account.name, "Other", body=0), bodies=bodies)
        )
        for name, text in (("INBOX", "second"), ("Other", "first")):
            mailbox = await account.mailbox(name)
            assert list((await mailbox.fetch(EVERYTHING, FetchItem.BODY)).bodies or ()) == [message(text)]

    @on_backend
    async def test_a_transaction_of_nothing_is_committed_too(self, backend: Backend) -> None:
        wanted = Transaction(unique("empty-"), backend.now, ())
        assert (await backend.store.deliver(wanted)).placed == ()

    @on_backend
    async def test_many_deliveries_at_once_are_all_there_once(self, backend: Backend) -> None:
        accounts = [await backend.new_account() for _ in range(3)]
        wanted = [
            transaction(*(place(account.name) for account in accounts[: 1 + number % 3]), bodies=(body(),))
            for number in range(60)
        ]
        waiting = [backend.store.deliver(each) for each in wanted for _ in range(2)]
        committed = [await deferred for deferred in waiting]
        assert committed[::2] == committed[1::2]
        for position, account in enumerate(accounts):
            inbox = await account.mailbox("INBOX")
            uids = [each.placed[position].uid for each in committed[::2] if len(each.placed) > position]
            assert sorted(uids) == list(await inbox.uids())
            assert len(set(uids)) == len(uids)
            assert (await inbox.status()).messages == len(uids) == [60, 40, 20][position]

    @on_backend
    async def test_a_failing_delivery_among_many_fails_alone(self, backend: Backend) -> None:
        account = await backend.new_account()
        waiting = []
        for number in range(20):
            target = "nobody@example.test" if number % 5 == 2 else account.name
            waiting.append(backend.store.deliver(transaction(place(account.name), place(target))))
        refused = 0
        for deferred in waiting:
            try:
                await deferred
            except Refused:
                refused += 1
        assert refused == 4
        assert (await (await account.mailbox("INBOX")).status()).messages == 32

    @on_backend
    async def test_what_was_begun_is_finished_before_the_store_stops(self, backend: Backend) -> None:
        account = await backend.new_account()
        waiting = [backend.store.deliver(transaction(place(account.name))) for _ in range(20)]
        await backend.store.stop()
        placed = [(await deferred).placed[0].uid for deferred in waiting]
        await backend.open_again()
        inbox = await (await backend.store.account(account.name)).mailbox("INBOX")
        assert list(await inbox.uids()) == sorted(placed)
        assert len(placed) == 20

    @on_backend
    async def test_who_gives_up_waiting_does_no_harm(self, backend: Backend) -> None:
        account = await backend.new_account()
        inbox = await account.mailbox("INBOX")
        wanted = [transaction(place(account.name)) for _ in range(10)]
        given_up: list[Deferred[Any]] = [  # Any: each fires with its own outcome
            backend.store.deliver(each) for each in wanted
        ]
        given_up += [inbox.fetch(EVERYTHING, FetchItem.BODY), inbox.status(), account.mailboxes()]
        for deferred in given_up:
            deferred.addErrback(lambda failure: failure.trap(CancelledError))
            deferred.cancel()
        for each in wanted:
            await backend.store.deliver(each)
        assert (await inbox.status()).messages == 10
        assert list((await inbox.fetch(EVERYTHING, FetchItem.BODY)).bodies or ()) == [message()] * 10
