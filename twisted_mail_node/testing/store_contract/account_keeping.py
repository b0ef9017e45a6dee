"""Accounts that the node makes and removes."""

from __future__ import annotations

import pytest

from ...mail.changes import ChangeKind
from ...mail.columns import FetchItem
from ...mail.errors import AccountExists, MailError, NoSuchAccount, NoSuchMailbox, Unavailable
from ...mail.uid_set import UIDSet
from ..backend import Backend, on_backend
from ..samples import filled_inbox, flags, place, transaction, unique
from .notices import Listener


class AccountKeepingContract:
    """IAccountKeeping."""

    @on_backend
    async def test_an_account_has_inbox_and_what_was_asked_for_all_subscribed(self, backend: Backend) -> None:
        account = await backend.new_account(("Sent", "\\Sent"), ("Lists/Twisted", None))
        listed = await account.mailboxes()
        assert [info.name for info in listed] == ["INBOX", "Lists", "Lists/Twisted", "Sent"]
        assert {info.name: info.special_use for info in listed}["Sent"] == "\\Sent"
        assert {"INBOX", "Sent", "Lists/Twisted"} <= set(await account.subscriptions())

    @on_backend
    async def test_an_account_is_made_once(self, backend: Backend) -> None:
        account = await backend.new_account()
        with pytest.raises(AccountExists):
            await backend.store.create_account(account.name)

    @on_backend
    async def test_an_account_with_a_mailbox_that_cannot_be_is_not_made(self, backend: Backend) -> None:
        name = unique("account-") + "@example.test"
        with pytest.raises(MailError):
            await backend.store.create_account(name, [("Good", None), ("bad//name", None)])
        with pytest.raises(NoSuchAccount):
            await backend.store.account(name)
        await backend.store.create_account(name)

    @on_backend
    async def test_a_removed_account_is_gone_with_all_it_held(self, backend: Backend) -> None:
        account = await backend.new_account()
        inbox = await filled_inbox(account, flags())
        await backend.store.remove_account(account.name)
        assert account.name not in await backend.store.accounts()
        with pytest.raises(NoSuchAccount):
            await backend.store.account(account.name)
        with pytest.raises(NoSuchAccount):
            await account.mailboxes()
        with pytest.raises(NoSuchMailbox):
            await inbox.status()
        assert not (await inbox.changes(0)).exists

    @on_backend
    async def test_an_account_made_anew_is_empty_and_is_never_taken_for_the_old_one(self, backend: Backend) -> None:
        account = await backend.new_account(("Sent", "\\Sent"))
        old_inbox = await filled_inbox(account, flags(), flags())
        old = await old_inbox.status()
        await account.subscribe("Elsewhere", True)
        await backend.store.remove_account(account.name)
        await backend.store.create_account(account.name)
        account = await backend.store.account(account.name)
        inbox = await account.mailbox("INBOX")
        status = await inbox.status()
        assert [info.name for info in await account.mailboxes()] == ["INBOX"]
        assert list(await account.subscriptions()) == ["INBOX"]
        assert status.messages == 0
        assert status.uid_validity > old.uid_validity
        assert list((await inbox.fetch(UIDSet.span(1, 9), FetchItem.BODY)).uids) == []
        with pytest.raises(NoSuchMailbox):
            await old_inbox.status()

    @on_backend
    async def test_a_second_delivery_is_known_though_its_account_has_gone(self, backend: Backend) -> None:
        account = await backend.new_account()
        wanted = transaction(place(account.name))
        first = await backend.store.deliver(wanted)
        await backend.store.remove_account(account.name)
        assert await backend.store.deliver(wanted) == first

    @on_backend
    async def test_an_unknown_account_cannot_be_removed(self, backend: Backend) -> None:
        with pytest.raises(NoSuchAccount):
            await backend.store.remove_account(unique("nobody-") + "@example.test")

    @on_backend
    async def test_a_stopped_store_makes_no_account(self, backend: Backend) -> None:
        await backend.store.stop()
        with pytest.raises(Unavailable):
            await backend.store.create_account("late@example.test")
        await backend.open_again()

    @on_backend
    async def test_the_removal_of_an_account_is_told(self, backend: Backend) -> None:
        account = await backend.new_account()
        listener = Listener()
        watch = backend.store.watch(account.name, listener)
        await backend.store.remove_account(account.name)
        await backend.until(lambda: ChangeKind.REMOVED in listener.kinds)
        watch.cancel()
