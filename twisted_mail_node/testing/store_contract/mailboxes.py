"""The tree of mailboxes and the subscriptions of one account."""

from __future__ import annotations

import pytest

from ...interfaces.store import IAccount
from ...mail.columns import FetchItem
from ...mail.errors import BadMailboxName, MailboxExists, NoSuchMailbox, PermanentFailure
from ...mail.uid_set import UIDSet
from ..backend import Backend, on_backend
from ..samples import filled_inbox, flags, message


async def names(account: IAccount) -> list[str]:
    """The names of all mailboxes, as listed."""
    return [info.name for info in await account.mailboxes()]


class MailboxesContract:
    """IAccount."""

    @on_backend
    async def test_inbox_is_found_in_any_case(self, backend: Backend) -> None:
        account = await backend.new_account()
        ids = {(await account.mailbox(name)).mailbox_id for name in ("INBOX", "inbox", "InBox")}
        assert len(ids) == 1

    @on_backend
    async def test_other_names_have_case(self, backend: Backend) -> None:
        account = await backend.new_account()
        await account.create("Work")
        await account.create("work")
        with pytest.raises(NoSuchMailbox):
            await account.mailbox("WORK")

    @on_backend
    async def test_a_created_mailbox_is_empty_listed_and_not_subscribed(self, backend: Backend) -> None:
        account = await backend.new_account()
        info = await account.create("Work", "\\Archive")
        assert info in await account.mailboxes()
        assert (info.name, info.special_use) == ("Work", "\\Archive")
        assert "Work" not in await account.subscriptions()
        mailbox = await account.mailbox("Work")
        assert mailbox.mailbox_id == info.mailbox_id
        assert mailbox.account == account.name
        status = await mailbox.status()
        assert (status.mailbox_id, status.uid_validity) == (info.mailbox_id, info.uid_validity)
        assert (status.messages, status.unseen, status.deleted, status.size) == (0, 0, 0, 0)
        assert (status.uid_next, status.recent_after) == (1, 0)
        assert status.highest_modseq > 0

    @on_backend
    async def test_creating_makes_missing_parents_without_the_special_use(self, backend: Backend) -> None:
        account = await backend.new_account()
        await account.create("a/b/c", "\\Junk")
        uses = {info.name: info.special_use for info in await account.mailboxes()}
        assert uses == {"INBOX": None, "a": None, "a/b": None, "a/b/c": "\\Junk"}
        await account.create("a/b/d")
        assert await names(account) == ["INBOX", "a", "a/b", "a/b/c", "a/b/d"]

    @on_backend
    async def test_what_exists_is_not_created(self, backend: Backend) -> None:
        account = await backend.new_account()
        await account.create("a/b")
        for name in ("a", "a/b", "inbox", "INBOX"):
            with pytest.raises(MailboxExists):
                await account.create(name)

    @on_backend
    async def test_a_name_that_cannot_be_is_refused_and_leaves_nothing(self, backend: Backend) -> None:
        account = await backend.new_account()
        await account.create("there")
        for name in ("", "/", "a//b", "/a", "a/", "a\0", "a\r\nb", "x" * 300, "/".join(["p" * 200] * 6)):
            with pytest.raises(BadMailboxName):
                await account.create(name)
            with pytest.raises(BadMailboxName):
                await account.rename("there", name)
            with pytest.raises(NoSuchMailbox):
                await account.mailbox(name)
        assert await names(account) == ["INBOX", "there"]

    @on_backend
    async def test_an_unknown_special_use_is_refused(self, backend: Backend) -> None:
        account = await backend.new_account()
        with pytest.raises(PermanentFailure):
            await account.create("Odd", "\\Odd")
        assert await names(account) == ["INBOX"]

    @on_backend
    async def test_a_name_is_found_however_its_characters_are_composed(self, backend: Backend) -> None:
        account = await backend.new_account()
        info = await account.create("Entwu\u0308rfe/受信箱 📬")
        assert info.name == "Entw\u00fcrfe/受信箱 📬"
        assert (await account.mailbox("Entwu\u0308rfe")).mailbox_id != info.mailbox_id
        with pytest.raises(MailboxExists):
            await account.create("Entw\u00fcrfe")

    @on_backend
    async def test_mailboxes_are_listed_by_name_inbox_first(self, backend: Backend) -> None:
        account = await backend.new_account()
        for name in ("b", "Archive", "a", "INBOX/below", "é", "a/c", "a b"):
            await account.create(name)
        listed = await names(account)
        assert listed[0] == "INBOX"
        assert listed[1:] == sorted(listed[1:])

    @on_backend
    async def test_statuses_leave_out_what_is_gone(self, backend: Backend) -> None:
        account = await backend.new_account()
        inbox = await filled_inbox(account, flags(), flags("\\Seen"))
        kept, gone = await account.create("kept"), await account.create("gone")
        await account.delete("gone")
        asked = [gone.mailbox_id, kept.mailbox_id, inbox.mailbox_id, 999_999_999]
        statuses = {status.mailbox_id: status for status in await account.statuses(asked)}
        assert set(statuses) == {kept.mailbox_id, inbox.mailbox_id}
        assert statuses[inbox.mailbox_id] == await inbox.status()
        assert list(await account.statuses([])) == []

    @on_backend
    async def test_a_deleted_mailbox_is_gone_and_those_below_stay(self, backend: Backend) -> None:
        account = await backend.new_account()
        await account.create("a/b")
        above = await account.mailbox("a")
        await account.delete("a")
        assert await names(account) == ["INBOX", "a/b"]
        with pytest.raises(NoSuchMailbox):
            await account.mailbox("a")
        with pytest.raises(NoSuchMailbox):
            await account.delete("a")
        assert await names(account) == ["INBOX", "a/b"]
        for call in (above.status, above.uids, above.expunge):
            with pytest.raises(NoSuchMailbox):
                await call()
        with pytest.raises(NoSuchMailbox):
            await above.fetch(UIDSet.span(1, 1), FetchItem.BODY)
        with pytest.raises(NoSuchMailbox):
            await above.open_body(1)
        with pytest.raises(NoSuchMailbox):
            await above.append([])
        assert not (await above.changes(0)).exists

    @on_backend
    async def test_inbox_cannot_be_deleted(self, backend: Backend) -> None:
        account = await backend.new_account()
        await filled_inbox(account, flags())
        with pytest.raises(PermanentFailure):
            await account.delete("inbox")
        assert (await (await account.mailbox("INBOX")).status()).messages == 1

    @on_backend
    async def test_a_mailbox_made_anew_is_never_taken_for_the_old_one(self, backend: Backend) -> None:
        account = await backend.new_account()
        seen: list[tuple[int, int]] = []
        for _ in range(4):
            info = await account.create("again")
            seen.append((info.uid_validity, info.mailbox_id))
            await account.delete("again")
        validities = [validity for validity, _ in seen]
        assert validities == sorted(set(validities))
        assert all(0 < validity < 2**32 for validity in validities)
        assert len({mailbox_id for _, mailbox_id in seen}) == 4

    @on_backend
    async def test_a_rename_takes_along_all_below_and_disturbs_no_door(self, backend: Backend) -> None:
        account = await backend.new_account()
        before = {info.name: info for info in [await account.create(name) for name in ("a", "a/b", "a/b/c", "ab")]}
        door = await account.mailbox("a/b")
        await (await filled_inbox(account, flags("\\Flagged"))).copy(UIDSet.span(1, 1), "a/b")
        await account.rename("a", "x/y")
        after = {info.name: info for info in await account.mailboxes()}
        assert sorted(after) == ["INBOX", "ab", "x", "x/y", "x/y/b", "x/y/b/c"]
        assert after["x/y/b/c"].mailbox_id == before["a/b/c"].mailbox_id
        assert after["x/y/b"].uid_validity == before["a/b"].uid_validity
        assert list(await door.uids()) == [1]
        assert (await account.mailbox("x/y/b")).mailbox_id == door.mailbox_id
        await account.create("a/b")
        assert (await door.status()).messages == 1

    @on_backend
    async def test_a_rename_may_go_up_the_tree(self, backend: Backend) -> None:
        account = await backend.new_account()
        for name in ("a/b/b/b", "a/b/c"):
            await account.create(name)
        await account.delete("a")
        await account.rename("a/b", "a")
        assert await names(account) == ["INBOX", "a", "a/b", "a/b/b", "a/c"]

    @on_backend
    async def test_a_rename_keeps_the_special_use_and_the_subscriptions(self, backend: Backend) -> None:
        account = await backend.new_account(("Sent", "\\Sent"))
        await account.rename("Sent", "Gesendet")
        assert {info.name: info.special_use for info in await account.mailboxes()}["Gesendet"] == "\\Sent"
        assert list(await account.subscriptions()) == ["INBOX", "Sent"]

    @on_backend
    async def test_a_rename_that_cannot_be_changes_nothing(self, backend: Backend) -> None:
        account = await backend.new_account()
        for name in ("a", "a/b", "c", "d/b", "long/" + "x" * 200):
            await account.create(name)
        await account.delete("d")
        listed = await account.mailboxes()
        for name, new_name, error in (
            ("nowhere", "e", NoSuchMailbox),
            ("a", "c", MailboxExists),
            ("a", "a", MailboxExists),
            ("a", "INBOX", MailboxExists),
            ("a", "d", MailboxExists),
            ("a", "a/inner", BadMailboxName),
            ("INBOX", "c", MailboxExists),
            ("long", "/".join(["y" * 200] * 4), BadMailboxName),
        ):
            with pytest.raises(error):
                await account.rename(name, new_name)
        assert list(await account.mailboxes()) == list(listed)

    @on_backend
    async def test_renaming_inbox_moves_its_messages_and_leaves_it_empty(self, backend: Backend) -> None:
        account = await backend.new_account()
        await account.create("INBOX/below")
        inbox = await filled_inbox(account, flags("\\Seen"), flags("\\Deleted", "work"))
        before = await inbox.status()
        await account.rename("inbox", "old/mail")
        assert await names(account) == ["INBOX", "INBOX/below", "old", "old/mail"]
        after = await inbox.status()
        assert (after.messages, after.unseen, after.deleted, after.size) == (0, 0, 0, 0)
        assert (after.uid_validity, after.uid_next) == (before.uid_validity, before.uid_next)
        assert list((await inbox.changes(before.highest_modseq)).vanished) == [1, 2]
        moved = await account.mailbox("old/mail")
        columns = await moved.fetch(await moved.uids(), FetchItem.FLAGS | FetchItem.BODY)
        assert list(columns.flags or ()) == [flags("\\Seen"), flags("\\Deleted", "work")]
        assert list(columns.bodies or ()) == [message("Number 1"), message("Number 2")]
        assert (await moved.status()).size == before.size

    @on_backend
    async def test_subscriptions_are_names_that_need_not_exist(self, backend: Backend) -> None:
        account = await backend.new_account()
        await account.create("there")
        for name in ("there", "not/there", "there"):
            await account.subscribe(name, True)
        assert list(await account.subscriptions()) == ["INBOX", "not/there", "there"]
        await account.delete("there")
        assert list(await account.subscriptions()) == ["INBOX", "not/there", "there"]
        for name in ("there", "never"):
            await account.subscribe(name, False)
        await account.subscribe("inbox", False)
        assert list(await account.subscriptions()) == ["not/there"]
