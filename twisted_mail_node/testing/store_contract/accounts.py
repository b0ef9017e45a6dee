"""Accounts as they are found, and the life of the store."""

from __future__ import annotations

import pytest
from zope.interface.verify import verifyObject

from ...interfaces.required_store import IBasicAccount, IBasicMailbox, IBasicStore
from ...mail.columns import FetchItem
from ...mail.errors import NoSuchAccount, NoSuchMailbox, Unavailable
from ...mail.uid_set import UIDSet
from ..backend import Backend, on_backend
from ..samples import DATE, body, filled_inbox, flags, message, place, transaction, unique


class AccountsContract:
    """IBasicStore: accounts, start and stop."""

    @on_backend
    async def test_the_required_doors_are_provided(self, backend: Backend) -> None:
        account = await backend.new_account()
        assert verifyObject(IBasicStore, backend.store)
        assert verifyObject(IBasicAccount, account)
        assert verifyObject(IBasicMailbox, await account.mailbox("INBOX"))

    @on_backend
    async def test_accounts_are_listed_sorted(self, backend: Backend) -> None:
        names = {(await backend.new_account()).name for _ in range(3)}
        listed = list(await backend.store.accounts())
        assert names <= set(listed)
        assert listed == sorted(listed)

    @on_backend
    async def test_an_unknown_account_has_no_door(self, backend: Backend) -> None:
        name = unique("nobody-") + "@example.test"
        with pytest.raises(NoSuchAccount):
            await backend.store.account(name)

    @on_backend
    async def test_accounts_are_apart(self, backend: Backend) -> None:
        one, other = await backend.new_account(), await backend.new_account()
        inbox = await filled_inbox(one, flags("\\Seen"), flags())
        await one.create("Mine")
        await one.subscribe("Mine", True)
        others = await other.mailbox("INBOX")
        assert (await others.status()).messages == 0
        assert [info.name for info in await other.mailboxes()] == ["INBOX"]
        assert "Mine" not in await other.subscriptions()
        assert len((await others.fetch(UIDSet.span(1, 9), FetchItem.FLAGS)).uids) == 0
        await others.expunge(UIDSet.span(1, 9), only_deleted=False)
        assert (await inbox.status()).messages == 2
        with pytest.raises(NoSuchMailbox):
            await others.copy(UIDSet.span(1, 1), "Mine")

    @on_backend
    async def test_a_stopped_store_says_so(self, backend: Backend) -> None:
        account = await backend.new_account()
        inbox = await account.mailbox("INBOX")
        store = backend.store
        await store.stop()
        for call in (
            lambda: store.accounts(),
            lambda: store.account(account.name),
            lambda: store.deliver(transaction(place(account.name))),
            lambda: account.mailboxes(),
            lambda: account.create("Late"),
            lambda: inbox.status(),
            lambda: inbox.append([(body(), flags(), DATE)]),
            lambda: inbox.fetch(UIDSet.span(1, 1), FetchItem.BODY),
        ):
            with pytest.raises(Unavailable):
                await call()
        await backend.open_again()

    @on_backend
    async def test_what_was_committed_is_there_after_a_restart(self, backend: Backend) -> None:
        account = await backend.new_account(("Sent", "\\Sent"))
        inbox = await filled_inbox(account, flags("\\Seen", "work"), flags("\\Deleted"), flags("\\Flagged"))
        await inbox.expunge()
        sent = transaction(place(account.name, "Sent"))
        committed = await backend.store.deliver(sent)
        before, listed = await inbox.status(), await account.mailboxes()
        wanted = FetchItem.FLAGS | FetchItem.BODY | FetchItem.MODSEQ
        columns = await inbox.fetch(UIDSet.span(3, 9), wanted)
        await backend.restart()
        account = await backend.store.account(account.name)
        inbox = await account.mailbox("INBOX")
        assert await inbox.status() == before
        assert list(await account.mailboxes()) == list(listed)
        again = await inbox.fetch(UIDSet.span(3, 9), wanted)
        assert list(again.bodies or ()) == [message("Number 3")]
        assert list(again.modseqs or ()) == list(columns.modseqs or ())
        assert list((await inbox.changes(before.highest_modseq - 1)).vanished) == [2]
        assert await backend.store.deliver(sent) == committed
