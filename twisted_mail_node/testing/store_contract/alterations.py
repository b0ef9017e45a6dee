"""What is done to messages: flags, copies, removal; also much of it at once."""

from __future__ import annotations

import pytest

from ...mail.columns import FetchItem
from ...mail.errors import NoSuchMailbox, NoSuchMessage
from ...mail.flags import NO_FLAGS, FlagChange
from ...mail.uid_set import EMPTY, UIDSet
from ..backend import Backend, on_backend
from ..samples import DATE, body, filled_inbox, flags, message, place, transaction
from .counting import ADD, EVERYTHING, REMOVE, REPLACE, flags_by_uid, pairs, recounted


class AlterationsContract:
    """IBasicMailbox: store_flags, copy, expunge."""

    # Flags

    @pytest.mark.parametrize(
        ("change", "by", "wanted"),
        [
            (ADD, ("\\Seen", "two"), ("\\Seen", "\\Flagged", "one", "two")),
            (REMOVE, ("\\Flagged", "ONE", "absent"), ()),
            (REPLACE, ("\\Draft", "three"), ("\\Draft", "three")),
            (REPLACE, (), ()),
        ],
    )
    @on_backend
    async def test_flags_are_added_removed_and_replaced(
        self, backend: Backend, change: FlagChange, by: tuple[str, ...], wanted: tuple[str, ...]
    ) -> None:
        inbox = await filled_inbox(await backend.new_account(), flags("\\Flagged", "one"), flags("\\Answered"))
        before = await inbox.status()
        outcome = await inbox.store_flags(UIDSet.of([1]), change, flags(*by))
        assert pairs(outcome.changed) == [(1, flags(*wanted))]
        modseqs = list(outcome.changed.modseqs or ())
        after = await inbox.status()
        assert modseqs == [after.highest_modseq]
        assert after.highest_modseq > before.highest_modseq
        assert (outcome.modified, outcome.gone) == (EMPTY, EMPTY)
        assert await flags_by_uid(inbox) == {1: flags(*wanted), 2: flags("\\Answered")}
        columns = await inbox.fetch(EVERYTHING, FetchItem.MODSEQ)
        assert (columns.modseqs or ())[0] == after.highest_modseq > (columns.modseqs or ())[1]

    @on_backend
    async def test_a_change_that_changes_nothing_takes_no_number(self, backend: Backend) -> None:
        inbox = await filled_inbox(await backend.new_account(), flags("\\Seen", "work"), flags("\\Seen"))
        before = await inbox.status()
        for change, by in ((ADD, "\\Seen"), (REMOVE, "\\Flagged"), (REMOVE, "other")):
            outcome = await inbox.store_flags(EVERYTHING, change, flags(by))
            assert list(outcome.changed.uids) == []
        assert await inbox.status() == before
        outcome = await inbox.store_flags(EVERYTHING, ADD, flags("work"))
        assert list(outcome.changed.uids) == [2]

    @on_backend
    async def test_messages_newer_than_the_condition_are_left_alone(self, backend: Backend) -> None:
        inbox = await filled_inbox(await backend.new_account(), NO_FLAGS, NO_FLAGS, NO_FLAGS)
        read = (await inbox.status()).highest_modseq
        await inbox.store_flags(UIDSet.of([2]), ADD, flags("\\Flagged"))
        outcome = await inbox.store_flags(EVERYTHING, ADD, flags("\\Seen"), unchanged_since=read)
        assert pairs(outcome.changed) == [(1, flags("\\Seen")), (3, flags("\\Seen"))]
        assert outcome.modified == UIDSet.of([2])
        assert (await flags_by_uid(inbox))[2] == flags("\\Flagged")
        outcome = await inbox.store_flags(EVERYTHING, ADD, flags("x"), unchanged_since=0)
        assert list(outcome.changed.uids) == []
        assert outcome.modified == UIDSet.span(1, 3)

    @on_backend
    async def test_flags_of_messages_that_no_longer_exist_are_told_as_gone(self, backend: Backend) -> None:
        inbox = await filled_inbox(await backend.new_account(), NO_FLAGS, NO_FLAGS, NO_FLAGS)
        await inbox.expunge(UIDSet.of([2]), only_deleted=False)
        outcome = await inbox.store_flags(UIDSet.span(1, 3), ADD, flags("\\Seen"))
        assert list(outcome.changed.uids) == [1, 3]
        assert outcome.gone == UIDSet.of([2])
        assert (await inbox.store_flags(EMPTY, ADD, flags("\\Seen"))).gone == EMPTY
        assert (await inbox.store_flags(EVERYTHING, ADD, flags("x"))).gone == UIDSet.of([2]), "never there, so not gone"

    # Copies

    @on_backend
    async def test_copies_keep_flags_date_and_prefix(self, backend: Backend) -> None:
        account = await backend.new_account(("Copies", None))
        prefix = b"Delivered-To: bob@example.test\r\n"
        await backend.store.deliver(transaction(place(account.name, prefix=prefix)))
        inbox = await filled_inbox(account, flags("\\Seen", "work"), NO_FLAGS)
        outcome = await inbox.copy(UIDSet.of([1, 2, 9]), "Copies")
        copies = await account.mailbox("Copies")
        status = await copies.status()
        assert (outcome.uid_validity, list(outcome.source_uids)) == (status.uid_validity, [1, 2])
        assert list(outcome.target_uids) == [1, 2]
        kept = FetchItem.FLAGS | FetchItem.INTERNAL_DATE | FetchItem.SIZE | FetchItem.BODY
        old, new = await inbox.fetch(UIDSet.span(1, 2), kept), await copies.fetch(EVERYTHING, kept)
        assert list(new.flags or ()) == list(old.flags or ()) == [NO_FLAGS, flags("\\Seen", "work")]
        assert list(new.internal_dates or ()) == list(old.internal_dates or ())
        assert list(new.sizes or ()) == list(old.sizes or ())
        assert list(new.bodies or ()) == list(old.bodies or ()) == [prefix + message(), message("Number 1")]
        assert (await inbox.status()).messages == 3

    @on_backend
    async def test_a_copy_lives_on_its_own(self, backend: Backend) -> None:
        account = await backend.new_account(("Copies", None))
        inbox = await filled_inbox(account, NO_FLAGS)
        await inbox.copy(UIDSet.of([1]), "Copies")
        await inbox.store_flags(UIDSet.of([1]), ADD, flags("\\Deleted"))
        await inbox.expunge()
        backend.advance(48 * 3600)
        await inbox.append([])
        copies = await account.mailbox("Copies")
        columns = await copies.fetch(EVERYTHING, FetchItem.FLAGS | FetchItem.BODY)
        assert pairs(columns) == [(1, NO_FLAGS)]
        assert list(columns.bodies or ()) == [message("Number 1")]

    @on_backend
    async def test_a_mailbox_may_be_copied_into_itself(self, backend: Backend) -> None:
        inbox = await filled_inbox(await backend.new_account(), flags("a"), flags("b"))
        outcome = await inbox.copy(EVERYTHING, "inbox")
        assert (list(outcome.source_uids), list(outcome.target_uids)) == ([1, 2], [3, 4])
        assert [each.keyword_text for each in (await flags_by_uid(inbox)).values()] == ["a", "b", "a", "b"]

    @on_backend
    async def test_a_missing_target_is_told_and_nothing_happens(self, backend: Backend) -> None:
        inbox = await filled_inbox(await backend.new_account(), NO_FLAGS)
        before = await inbox.status()
        for uids in (UIDSet.of([1]), UIDSet.of([5]), EMPTY):
            with pytest.raises(NoSuchMailbox):
                await inbox.copy(uids, "Nowhere")
        assert await inbox.status() == before

    @on_backend
    async def test_copying_nothing_changes_nothing(self, backend: Backend) -> None:
        account = await backend.new_account(("Target", None))
        inbox = await filled_inbox(account, NO_FLAGS)
        target = await account.mailbox("Target")
        before = await inbox.status(), await target.status()
        for outcome in (await inbox.copy(UIDSet.of([7]), "Target"), await inbox.copy(EMPTY, "Target")):
            assert (list(outcome.source_uids), list(outcome.target_uids)) == ([], [])
            assert outcome.uid_validity == before[1].uid_validity
        assert (await inbox.status(), await target.status()) == before

    # Removal

    @on_backend
    async def test_expunge_removes_what_is_deleted_within_the_set(self, backend: Backend) -> None:
        deleted = flags("\\Deleted")
        inbox = await filled_inbox(await backend.new_account(), deleted, NO_FLAGS, deleted, deleted)
        assert await inbox.expunge(UIDSet.span(1, 3)) == UIDSet.of([1, 3])
        assert await inbox.uids() == UIDSet.of([2, 4])
        assert await inbox.expunge() == UIDSet.of([4])
        assert await inbox.expunge(UIDSet.of([2, 99]), only_deleted=False) == UIDSet.of([2])
        assert (await inbox.status()).messages == 0

    @on_backend
    async def test_expunging_nothing_changes_nothing(self, backend: Backend) -> None:
        inbox = await filled_inbox(await backend.new_account(), NO_FLAGS)
        before = await inbox.status()
        assert await inbox.expunge() == EMPTY
        assert await inbox.expunge(UIDSet.of([1])) == EMPTY
        assert await inbox.expunge(EMPTY, only_deleted=False) == EMPTY
        assert await inbox.status() == before

    @on_backend
    async def test_an_expunged_message_stays_readable_for_an_hour_and_counts_nowhere(self, backend: Backend) -> None:
        inbox = await filled_inbox(await backend.new_account(), flags("\\Deleted", "gone"), NO_FLAGS, NO_FLAGS)
        await inbox.expunge()
        backend.advance(3590)
        await inbox.expunge(UIDSet.of([3]), only_deleted=False)
        columns = await inbox.fetch(UIDSet.span(1, 3), FetchItem.BODY | FetchItem.FLAGS | FetchItem.SIZE)
        assert list(columns.uids) == [1, 2, 3]
        assert list(columns.bodies or ()) == [message(f"Number {number}") for number in (1, 2, 3)]
        assert (columns.flags or ())[0] == flags("\\Deleted", "gone")
        opened = await inbox.open_body(1)
        assert await opened.read(0, opened.size) == message("Number 1")
        opened.close()
        assert list(await inbox.uids()) == [2]
        assert await inbox.status() == await recounted(inbox)
        assert list((await inbox.copy(UIDSet.of([1, 2]), "INBOX")).source_uids) == [2]
        assert list((await inbox.store_flags(UIDSet.of([1]), ADD, flags("\\Seen"))).changed.uids) == []
        assert await inbox.expunge(UIDSet.of([1, 3]), only_deleted=False) == EMPTY

    @on_backend
    async def test_a_message_that_never_was_cannot_be_opened(self, backend: Backend) -> None:
        inbox = await filled_inbox(await backend.new_account(), NO_FLAGS)
        with pytest.raises(NoSuchMessage):
            await inbox.open_body(2)

    # Several at once

    @on_backend
    async def test_changes_that_do_not_wait_all_happen_in_their_order(self, backend: Backend) -> None:
        account = await backend.new_account(("Target", None))
        inbox = await filled_inbox(account, *[NO_FLAGS] * 30)
        target = await account.mailbox("Target")
        flagging = [inbox.store_flags(UIDSet.of([n]), ADD, flags("\\Seen", f"k{n % 3}")) for n in range(1, 31)]
        copying = [inbox.copy(UIDSet.of([n]), "Target") for n in range(1, 31, 3)]
        reading = [inbox.status(), target.status()]
        appending = [inbox.append([(body(message(f"new {n}")), NO_FLAGS, DATE)]) for n in range(5)]
        expunging = [inbox.expunge(UIDSet.of([n]), only_deleted=False) for n in range(2, 31, 3)]
        for waiting in (flagging, copying, reading, appending, expunging):
            for deferred in waiting:
                await deferred
        assert await inbox.uids() == UIDSet.of([n for n in range(1, 36) if n > 30 or n % 3 != 2])
        assert len(await target.uids()) == 10
        assert set((await flags_by_uid(target)).values()) == {flags("\\Seen", "k1")}
        for mailbox in (inbox, target):
            assert await mailbox.status() == await recounted(mailbox)
