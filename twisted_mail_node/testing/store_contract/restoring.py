"""
Putting mail back as it was: IRestorableAccount and IRestorableMailbox.

Optional doors, so not a part of `StoreContract`: inherit it beside that one, for a store that has them.
"""

from __future__ import annotations

import pytest
from zope.interface.verify import verifyObject

from ...interfaces.store import IAccount, IMailbox, IRestorableAccount, IRestorableMailbox
from ...mail.changes import ChangeKind, ChangeNotice, MailboxStatus
from ...mail.columns import FetchItem, InternalDate
from ...mail.errors import BadMailboxName, NoSuchMailbox, UIDTaken
from ...mail.flags import NO_FLAGS
from ...mail.restoring import RestoredMailbox, RestoredMessage
from ...mail.uid_set import UIDSet
from ..backend import Backend, on_backend
from ..samples import DATE, body, filled_inbox, flags, message, new_account
from .counting import EVERYTHING, recounted

VALIDITY = 1_111_111_111


def _guid(number: int) -> str:
    return f"{number:032x}"


def _restored(number: int, uid: int | None = None) -> RestoredMessage:
    return RestoredMessage(body(message(f"Number {number}")), NO_FLAGS, DATE, _guid(number), uid)


async def _restore_mailbox(account: IAccount, wanted: RestoredMailbox) -> MailboxStatus:
    return await IRestorableAccount(account).restore_mailbox(wanted)


async def _restore(mailbox: IMailbox, *messages: RestoredMessage) -> list[int]:
    return list((await IRestorableMailbox(mailbox).restore(messages)).target_uids)


class RestoringContract:
    """A backend in which mail can be put back."""

    @on_backend
    async def test_the_doors_are_provided(self, backend: Backend) -> None:
        account = await new_account(backend.store)
        assert verifyObject(IRestorableAccount, account)
        assert verifyObject(IRestorableMailbox, await account.mailbox("INBOX"))

    @on_backend
    async def test_a_message_is_put_back_as_it_was(self, backend: Backend) -> None:
        account = await new_account(backend.store)
        inbox = await account.mailbox("INBOX")
        content, prefix = message("As it was"), b"Return-Path: <ann@example.test>\r\n"
        date = InternalDate(86_400, -210)
        was = RestoredMessage(
            body(content, b"(E)"), flags("\\Seen", "work"), date, "0f" * 16, 4711, prefix, "E4711-of_old"
        )
        assert await _restore(inbox, was) == [4711]
        await backend.restart()
        inbox = await (await backend.store.account(account.name)).mailbox("INBOX")
        items = FetchItem.FLAGS | FetchItem.INTERNAL_DATE | FetchItem.SIZE | FetchItem.BODY | FetchItem.GUID
        items |= FetchItem.EMAIL_ID
        columns = await inbox.fetch(EVERYTHING, items)
        assert list(columns.uids) == [4711]
        assert list(columns.flags or ()) == [was.flags]
        assert list(columns.internal_dates or ()) == [date]
        assert list(columns.bodies or ()) == [prefix + content]
        assert list(columns.sizes or ()) == [len(prefix + content)]
        assert list(columns.guids or ()) == [was.guid]
        assert list(columns.email_ids or ()) == [was.email_id]
        assert await inbox.status() == await recounted(inbox)

    @on_backend
    async def test_a_large_message_is_put_back_from_a_staged_body(self, backend: Backend) -> None:
        account = await new_account(backend.store)
        inbox = await account.mailbox("INBOX")
        content = message("x" * 400_000)
        writer = backend.store.stage_body()
        await writer.write(content)
        staged = await writer.finish(content.index(b"\r\n\r\n") + 4, False)
        assert await _restore(inbox, RestoredMessage(staged, NO_FLAGS, DATE, _guid(1), 9)) == [9]
        opened = await inbox.open_body(9)
        read = b""
        while piece := await opened.read(len(read), 100_000):
            read += piece
        opened.close()
        assert read == content

    @on_backend
    async def test_uids_leave_gaps_and_go_on_from_the_last(self, backend: Backend) -> None:
        account = await new_account(backend.store)
        inbox = await account.mailbox("INBOX")
        assert await _restore(inbox, _restored(1, 5), _restored(2), _restored(3, 100)) == [5, 6, 100]
        assert list((await inbox.append([(body(), NO_FLAGS, DATE)])).target_uids) == [101]
        assert await inbox.uids() == UIDSet.of([5, 6, 100, 101])
        assert await _restore(inbox) == []
        assert await inbox.status() == await recounted(inbox)

    @on_backend
    async def test_guids_are_told_a_part_at_a_time(self, backend: Backend) -> None:
        account = await new_account(backend.store)
        inbox = await account.mailbox("INBOX")
        await _restore(inbox, *(_restored(number, 1000 * number + 1) for number in range(7)))
        await inbox.expunge(UIDSet.of([2001]), only_deleted=False)
        numbers = [0, 1, 3, 4, 5, 6]
        for limit in (1, 4, 100):
            found: list[tuple[int, str]] = []
            while len(page := await IRestorableMailbox(inbox).guids(found[-1][0] if found else 0, limit)):
                assert len(page) <= limit
                found += zip(page.uids, page.guids or (), strict=True)
            assert found == [(1000 * number + 1, _guid(number)) for number in numbers]

    @on_backend
    async def test_a_uid_that_was_passed_is_refused_and_nothing_is_done(self, backend: Backend) -> None:
        account = await new_account(backend.store)
        inbox = await account.mailbox("INBOX")
        await _restore(inbox, _restored(1, 5))
        before = await inbox.status()
        for messages in (
            [_restored(2, 5)],
            [_restored(2, 4)],
            [_restored(2, 7), _restored(3, 7)],
            [_restored(2), _restored(3, 6)],
        ):
            with pytest.raises(UIDTaken):
                await _restore(inbox, *messages)
            assert await inbox.status() == before
        await inbox.expunge(UIDSet.of([5]), only_deleted=False)
        with pytest.raises(UIDTaken):
            await _restore(inbox, _restored(2, 5))
        assert await _restore(inbox, _restored(2, 6)) == [6]

    @on_backend
    async def test_what_is_put_back_is_told_and_is_a_change(self, backend: Backend) -> None:
        account = await new_account(backend.store)
        inbox = await account.mailbox("INBOX")
        told: list[ChangeNotice] = []
        watch = backend.store.watch(account.name, told.append)
        since = (await inbox.status()).highest_modseq
        await _restore(inbox, _restored(1, 3), _restored(2, 8))
        await backend.until(lambda: bool(told))
        watch.cancel()
        assert told[-1].mailbox_ids == {inbox.mailbox_id}
        assert ChangeKind.MESSAGES in told[-1].kinds
        changes = await inbox.changes(since)
        assert list(changes.appended.uids) == [3, 8]
        assert changes.modseq == told[-1].modseq > since

    @on_backend
    async def test_a_mailbox_is_made_as_it_was(self, backend: Backend) -> None:
        account = await new_account(backend.store)
        was = RestoredMailbox("Lists/Twisted", "\\Archive", VALIDITY, 1001, 70_000)
        status = await _restore_mailbox(account, was)
        assert (status.uid_validity, status.uid_next, status.messages) == (VALIDITY, 1001, 0)
        assert status.highest_modseq >= 70_000
        listed = {info.name: info for info in await account.mailboxes()}
        assert sorted(listed) == ["INBOX", "Lists", "Lists/Twisted"]
        assert listed["Lists/Twisted"].uid_validity == VALIDITY
        assert listed["Lists/Twisted"].special_use == "\\Archive"
        assert listed["Lists"].special_use is None
        made = await account.mailbox("Lists/Twisted")
        assert list((await made.append([(body(), NO_FLAGS, DATE)])).target_uids) == [1001]
        assert (await made.status()).highest_modseq > 70_000

    @on_backend
    async def test_making_it_again_changes_nothing(self, backend: Backend) -> None:
        account = await new_account(backend.store)
        was = RestoredMailbox("Old", None, VALIDITY, 50, 300)
        await _restore_mailbox(account, was)
        old = await account.mailbox("Old")
        await _restore(old, _restored(1, 60))
        before = await old.status()
        assert await _restore_mailbox(account, was) == before
        assert await old.status() == before

    @on_backend
    async def test_one_that_never_held_a_message_takes_the_validity(self, backend: Backend) -> None:
        account = await new_account(backend.store)
        was = RestoredMailbox("inbox", None, VALIDITY)
        status = await _restore_mailbox(account, was)
        assert (status.uid_validity, status.uid_next) == (VALIDITY, 1)
        inbox = await account.mailbox("INBOX")
        await _restore(inbox, _restored(1, 3))
        status = await _restore_mailbox(account, RestoredMailbox("INBOX", None, VALIDITY, 20))
        assert (status.uid_validity, status.uid_next) == (VALIDITY, 20)
        await backend.restart()
        account = await backend.store.account(account.name)
        assert (await (await account.mailbox("INBOX")).status()) == status

    @on_backend
    async def test_one_that_did_keeps_its_own(self, backend: Backend) -> None:
        account = await new_account(backend.store)
        inbox = await filled_inbox(account, NO_FLAGS)
        await inbox.expunge(EVERYTHING, only_deleted=False)
        before = await inbox.status()
        status = await _restore_mailbox(account, RestoredMailbox("INBOX", "\\Sent", VALIDITY, 900))
        assert (status.uid_validity, status.uid_next) == (before.uid_validity, 2)
        assert [info.special_use for info in await account.mailboxes()] == [None]

    @on_backend
    async def test_without_a_validity_a_mailbox_gets_one(self, backend: Backend) -> None:
        account = await new_account(backend.store)
        status = await _restore_mailbox(account, RestoredMailbox("Mine"))
        (inbox,) = [info for info in await account.mailboxes() if info.name == "INBOX"]
        assert status.uid_validity > inbox.uid_validity
        assert status.uid_next == 1

    @on_backend
    async def test_a_validity_that_was_put_back_is_not_given_again(self, backend: Backend) -> None:
        account = await new_account(backend.store)
        far = int(backend.now) + 1_000_000
        await _restore_mailbox(account, RestoredMailbox("Far", None, far))
        await account.delete("Far")
        assert (await account.create("Far")).uid_validity > far

    @on_backend
    async def test_the_counter_of_changes_never_goes_back(self, backend: Backend) -> None:
        account = await new_account(backend.store)
        await _restore_mailbox(account, RestoredMailbox("One", None, VALIDITY, 1, 5_000))
        await _restore_mailbox(account, RestoredMailbox("Two", None, VALIDITY, 1, 4))
        two = await account.mailbox("Two")
        assert (await two.status()).highest_modseq > 5_000
        status = await _restore_mailbox(account, RestoredMailbox("Two", None, VALIDITY, 1, 9_000))
        assert status.highest_modseq >= 9_000

    @on_backend
    async def test_a_validity_is_renewed_for_good(self, backend: Backend) -> None:
        account = await new_account(backend.store)
        await _restore_mailbox(account, RestoredMailbox("Old", None, VALIDITY))
        old = await account.mailbox("Old")
        await _restore(old, _restored(1, 3))
        before = await old.status()
        renewed = await IRestorableAccount(account).renew_uid_validity("Old")
        assert renewed.uid_validity > VALIDITY
        assert renewed.uid_next == 4
        assert renewed.highest_modseq > before.highest_modseq
        assert await old.status() == renewed
        with pytest.raises(NoSuchMailbox):
            await IRestorableAccount(account).renew_uid_validity("None")

    @on_backend
    async def test_a_name_that_cannot_be_is_refused(self, backend: Backend) -> None:
        account = await new_account(backend.store)
        for name in ("a//b", "bell\7", ""):
            with pytest.raises(BadMailboxName):
                await _restore_mailbox(account, RestoredMailbox(name))
