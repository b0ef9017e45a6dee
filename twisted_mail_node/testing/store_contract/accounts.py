"""Accounts: making, finding and removing them, and the life of the store."""

from __future__ import annotations

import pytest
from zope.interface.verify import verifyObject

from ...interfaces.store import IAccount, IMailbox, IMailStore
from ...mail.columns import FetchItem
from ...mail.errors import AccountExists, MailError, NoSuchAccount, NoSuchMailbox, Unavailable
from ...mail.uid_set import UIDSet
from ..backend import Backend, on_backend
from ..samples import DATE, body, filled_inbox, flags, message, new_account, place, transaction, unique


class AccountsContract:
    """IMailStore: accounts, start and stop."""

    @on_backend
    async def test_doors_are_provided(self, backend: Backend) -> None:
        account = await new_account(backend.store)
        assert verifyObject(IMailStore, backend.store)
        assert verifyObject(IAccount, account)
        assert verifyObject(IMailbox, await account.mailbox("INBOX"))

    @on_backend
    async def test_an_account_has_inbox_and_what_was_asked_for_all_subscribed(self, backend: Backend) -> None:
        account = await new_account(backend.store, ("Sent", "\\Sent"), ("Lists/Twisted", None))
        listed = await account.mailboxes()
        assert [info.name for info in listed] == ["INBOX", "Lists", "Lists/Twisted", "Sent"]
        assert {info.name: info.special_use for info in listed}["Sent"] == "\\Sent"
        assert {"INBOX", "Sent", "Lists/Twisted"} <= set(await account.subscriptions())

    @on_backend
    async def test_an_account_is_made_once(self, backend: Backend) -> None:
        account = await new_account(backend.store)
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
    async def test_accounts_are_listed_sorted(self, backend: Backend) -> None:
        names = {f"{unique(prefix)}@example.test" for prefix in "zam"}
        for name in names:
            await backend.store.create_account(name)
        listed = list(await backend.store.accounts())
        assert names <= set(listed)
        assert listed == sorted(listed)

    @on_backend
    async def test_an_unknown_account_has_no_door_and_cannot_be_removed(self, backend: Backend) -> None:
        name = unique("nobody-") + "@example.test"
        with pytest.raises(NoSuchAccount):
            await backend.store.account(name)
        with pytest.raises(NoSuchAccount):
            await backend.store.remove_account(name)

    @on_backend
    async def test_a_removed_account_is_gone_with_all_it_held(self, backend: Backend) -> None:
        account = await new_account(backend.store)
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
        account = await new_account(backend.store, ("Sent", "\\Sent"))
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
    async def test_accounts_are_apart(self, backend: Backend) -> None:
        one, other = await new_account(backend.store), await new_account(backend.store)
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
        account = await new_account(backend.store)
        inbox = await account.mailbox("INBOX")
        store, writer = backend.store, backend.store.stage_body()
        await store.stop()
        for call in (
            lambda: store.accounts(),
            lambda: store.account(account.name),
            lambda: store.create_account("late@example.test"),
            lambda: store.deliver(transaction(place(account.name))),
            lambda: account.mailboxes(),
            lambda: account.create("Late"),
            lambda: inbox.status(),
            lambda: inbox.append([(body(), flags(), DATE)]),
            lambda: inbox.fetch(UIDSet.span(1, 1), FetchItem.BODY),
            lambda: writer.write(b"late"),
        ):
            with pytest.raises(Unavailable):
                await call()
        await backend.open_again()

    @on_backend
    async def test_what_was_committed_is_there_after_a_restart(self, backend: Backend) -> None:
        account = await new_account(backend.store, ("Sent", "\\Sent"))
        inbox = await filled_inbox(account, flags("\\Seen", "work"), flags("\\Deleted"), flags("\\Flagged"))
        await inbox.expunge()
        sent = transaction(place(account.name, "Sent"))
        committed = await backend.store.deliver(sent)
        before, listed = await inbox.status(), await account.mailboxes()
        wanted = FetchItem.FLAGS | FetchItem.BODY | FetchItem.MODSEQ | FetchItem.GUID | FetchItem.EMAIL_ID
        columns = await inbox.fetch(UIDSet.span(3, 9), wanted)
        await backend.restart()
        account = await backend.store.account(account.name)
        inbox = await account.mailbox("INBOX")
        assert await inbox.status() == before
        assert list(await account.mailboxes()) == list(listed)
        again = await inbox.fetch(UIDSet.span(3, 9), wanted)
        assert list(again.bodies or ()) == [message("Number 3")]
        assert list(again.guids or ()) == list(columns.guids or ())
        assert list(again.modseqs or ()) == list(columns.modseqs or ())
        assert list(again.email_ids or ()) == list(columns.email_ids or ())
        assert list((await inbox.changes(before.highest_modseq - 1)).vanished) == [2]
        assert await backend.store.deliver(sent) == committed
