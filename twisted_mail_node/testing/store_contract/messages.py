"""Messages of a mailbox: reading columns, counting, flags, copies, moves, removal."""

from __future__ import annotations

import pytest

from ...interfaces.store import IMailbox
from ...mail.changes import MailboxStatus
from ...mail.columns import Columns, FetchItem, InternalDate
from ...mail.errors import NoSuchMailbox, NoSuchMessage
from ...mail.flags import NO_FLAGS, FlagChange, Flags
from ...mail.uid_set import EMPTY, UIDSet
from ..backend import Backend, on_backend
from ..samples import DATE, body, filled_inbox, flags, message, new_account, place, transaction

EVERYTHING = UIDSet.span(1, 2**32 - 1)
ADD, REMOVE, REPLACE = FlagChange.ADD, FlagChange.REMOVE, FlagChange.REPLACE


async def flags_by_uid(mailbox: IMailbox) -> dict[int, Flags]:
    """All messages' flags."""
    columns = await mailbox.fetch(await mailbox.uids(), FetchItem.FLAGS)
    return dict(zip(columns.uids, columns.flags or (), strict=True))


async def recounted(mailbox: IMailbox) -> MailboxStatus:
    """The counters, counted from the messages themselves where that is possible."""
    kept = await mailbox.status()
    columns = await mailbox.fetch(await mailbox.uids(), FetchItem.FLAGS | FetchItem.SIZE | FetchItem.MODSEQ)
    every = list(columns.flags or ())
    assert kept.highest_modseq >= max(columns.modseqs or (), default=0)
    assert kept.uid_next > max(columns.uids, default=0)
    return MailboxStatus(
        kept.mailbox_id,
        kept.uid_validity,
        kept.uid_next,
        len(every),
        sum(not each.seen for each in every),
        sum(each.deleted for each in every),
        sum(columns.sizes or ()),
        kept.highest_modseq,
        kept.recent_after,
    )


def pairs(columns: Columns) -> list[tuple[int, Flags]]:
    """UIDs with flags."""
    return list(zip(columns.uids, columns.flags or (), strict=True))


class MessagesContract:
    """IMailbox, but for `changes`."""

    # Reading

    @on_backend
    async def test_appended_messages_are_read_back_in_order(self, backend: Backend) -> None:
        account = await new_account(backend.store)
        inbox = await account.mailbox("INBOX")
        sent = [
            (body(message(f"text {i}")), wanted, InternalDate(1_600_000_000 + i, 60 * i - 720))
            for i, wanted in enumerate((flags(), flags("\\Seen", "\\Draft"), flags("$Forwarded", "work")))
        ]
        outcome = await inbox.append(sent)
        status = await inbox.status()
        assert outcome.uid_validity == status.uid_validity
        assert list(outcome.source_uids) == []
        assert list(outcome.target_uids) == [1, 2, 3]
        columns = await inbox.fetch(
            EVERYTHING, FetchItem.FLAGS | FetchItem.INTERNAL_DATE | FetchItem.SIZE | FetchItem.BODY | FetchItem.HEADER
        )
        assert list(columns.uids) == [1, 2, 3]
        assert list(columns.flags or ()) == [wanted for _, wanted, _ in sent]
        assert list(columns.internal_dates or ()) == [date for _, _, date in sent]
        assert list(columns.sizes or ()) == [each.size for each, _, _ in sent]
        assert list(columns.bodies or ()) == [each.content for each, _, _ in sent]
        assert list(columns.headers or ()) == [(each.content or b"")[: each.header_size] for each, _, _ in sent]

    @on_backend
    async def test_only_what_was_asked_for_is_given(self, backend: Backend) -> None:
        inbox = await filled_inbox(await new_account(backend.store), NO_FLAGS, NO_FLAGS)
        columns = await inbox.fetch(EVERYTHING, FetchItem.NONE)
        assert list(columns.uids) == [1, 2]
        for item, name in (
            (FetchItem.FLAGS, "flags"),
            (FetchItem.INTERNAL_DATE, "internal_dates"),
            (FetchItem.SIZE, "sizes"),
            (FetchItem.MODSEQ, "modseqs"),
            (FetchItem.HEADER, "headers"),
            (FetchItem.ENVELOPE, "envelopes"),
            (FetchItem.BODY_STRUCTURE, "body_structures"),
            (FetchItem.BODY, "bodies"),
            (FetchItem.EMAIL_ID, "email_ids"),
            (FetchItem.GUID, "guids"),
        ):
            assert getattr(columns, name) is None
            columns_with = await inbox.fetch(EVERYTHING, item)
            assert len(getattr(columns_with, name)) == 2
            for other in ("flags", "sizes", "modseqs", "bodies"):
                assert other == name or getattr(columns_with, other) is None

    @on_backend
    async def test_a_set_of_uids_may_have_gaps_and_numbers_that_are_not_there(self, backend: Backend) -> None:
        inbox = await filled_inbox(await new_account(backend.store), *[NO_FLAGS] * 9)
        await inbox.expunge(UIDSet.of([4]), only_deleted=False)
        backend.advance(3 * 3600)
        await inbox.expunge(UIDSet.of([5]), only_deleted=False)
        backend.advance(3 * 3600)
        columns = await inbox.fetch(UIDSet(((2, 3), (7, 7), (9, 4_000_000_000))), FetchItem.FLAGS)
        assert list(columns.uids) == [2, 3, 7, 9]
        assert list((await inbox.fetch(EMPTY, FetchItem.FLAGS)).uids) == []
        assert list((await inbox.fetch(UIDSet.span(50, 60), FetchItem.BODY)).bodies or ()) == []

    @on_backend
    async def test_large_sets_of_uids_without_order_are_served(self, backend: Backend) -> None:
        inbox = await filled_inbox(await new_account(backend.store), *[NO_FLAGS] * 40)
        every_other = UIDSet.of(range(1, 20_000, 2))
        columns = await inbox.fetch(every_other, FetchItem.FLAGS)
        assert list(columns.uids) == list(range(1, 41, 2))
        outcome = await inbox.store_flags(every_other, ADD, flags("\\Seen"))
        assert list(outcome.changed.uids) == list(range(1, 41, 2))
        assert (await inbox.status()).unseen == 20
        assert await inbox.expunge(every_other, only_deleted=False) == UIDSet.of(range(1, 41, 2))
        assert await inbox.uids() == UIDSet.of(range(2, 41, 2))

    @on_backend
    async def test_the_envelope_that_came_with_the_body_is_kept(self, backend: Backend) -> None:
        account = await new_account(backend.store)
        inbox = await account.mailbox("INBOX")
        form = b'(NIL "Hello" NIL NIL NIL NIL NIL NIL NIL NIL)'
        await inbox.append([(body(envelope=form), NO_FLAGS, DATE), (body(), NO_FLAGS, DATE)])
        columns = await inbox.fetch(EVERYTHING, FetchItem.ENVELOPE | FetchItem.BODY_STRUCTURE)
        assert list(columns.envelopes or ()) == [form, None]
        assert list(columns.body_structures or ()) == [None, None]

    @on_backend
    async def test_kept_forms_come_back_for_their_messages_or_not_at_all(self, backend: Backend) -> None:
        account = await new_account(backend.store, ("Copies", None))
        inbox = await filled_inbox(account, *[NO_FLAGS] * 3)
        await inbox.copy(UIDSet.of([3]), "Copies")
        inbox.keep_forms([1, 3, 77], [b"(E1)", b"(E3)", b"(E77)"], None)
        inbox.keep_forms([2, 3], None, [b"(S2)", b"(S3)"])
        inbox.keep_forms([], [], [])
        columns = await inbox.fetch(EVERYTHING, FetchItem.ENVELOPE | FetchItem.BODY_STRUCTURE)
        for kept, wanted in zip(columns.envelopes or (), (b"(E1)", None, b"(E3)"), strict=True):
            assert kept in (None, wanted)
        for kept, wanted in zip(columns.body_structures or (), (None, b"(S2)", b"(S3)"), strict=True):
            assert kept in (None, wanted)
        copies = await (await account.mailbox("Copies")).fetch(EVERYTHING, FetchItem.ENVELOPE)
        assert list(copies.envelopes or ()) in ([None], [b"(E3)"])

    # Counting

    @on_backend
    async def test_appending_nothing_changes_nothing(self, backend: Backend) -> None:
        inbox = await filled_inbox(await new_account(backend.store), NO_FLAGS)
        before = await inbox.status()
        assert list((await inbox.append([])).target_uids) == []
        assert await inbox.status() == before

    @on_backend
    async def test_counters_follow_every_change(self, backend: Backend) -> None:
        account = await new_account(backend.store, ("Other", None))
        inbox = await filled_inbox(account, NO_FLAGS, flags("\\Seen"), flags("\\Deleted"), flags("\\Seen", "\\Deleted"))
        other = await account.mailbox("Other")
        for change in (
            lambda: inbox.store_flags(EVERYTHING, ADD, flags("\\Flagged", "x")),
            lambda: inbox.store_flags(UIDSet.span(1, 2), REPLACE, flags("\\Deleted")),
            lambda: inbox.copy(UIDSet.span(2, 4), "Other"),
            lambda: inbox.store_flags(UIDSet.of([1]), REMOVE, flags("\\Deleted", "\\Seen")),
            lambda: other.expunge(),
            lambda: inbox.move(UIDSet.of([1, 4]), "Other"),
            lambda: inbox.copy(EVERYTHING, "INBOX"),
            lambda: inbox.move(UIDSet.of([2]), "INBOX"),
            lambda: backend.store.deliver(transaction(place(account.name), place(account.name, "Other"))),
            lambda: inbox.expunge(UIDSet.of([3, 5]), only_deleted=False),
            lambda: inbox.expunge(),
        ):
            await change()
            for mailbox in (inbox, other):
                assert await mailbox.status() == await recounted(mailbox)

    @on_backend
    async def test_uids_and_the_first_unseen_follow(self, backend: Backend) -> None:
        account = await new_account(backend.store)
        inbox = await account.mailbox("INBOX")
        assert await inbox.uids() == EMPTY
        assert await inbox.first_unseen() is None
        await filled_inbox(account, flags("\\Seen"), NO_FLAGS, flags("\\Seen"), NO_FLAGS)
        assert await inbox.uids() == UIDSet.span(1, 4)
        assert await inbox.first_unseen() == 2
        await inbox.expunge(UIDSet.of([2]), only_deleted=False)
        assert await inbox.uids() == UIDSet.of([1, 3, 4])
        assert await inbox.first_unseen() == 4
        await inbox.store_flags(EVERYTHING, ADD, flags("\\Seen"))
        assert await inbox.first_unseen() is None

    @on_backend
    async def test_uids_are_never_given_twice(self, backend: Backend) -> None:
        account = await new_account(backend.store)
        inbox = await filled_inbox(account, NO_FLAGS, NO_FLAGS)
        await inbox.expunge(EVERYTHING, only_deleted=False)
        backend.advance(2 * 3600)
        await filled_inbox(account, NO_FLAGS)
        await backend.restart()
        inbox = await (await backend.store.account(account.name)).mailbox("INBOX")
        await inbox.expunge(EVERYTHING, only_deleted=False)
        assert list((await inbox.append([(body(), NO_FLAGS, DATE)])).target_uids) == [4]
        assert (await inbox.status()).uid_next == 5

    @on_backend
    async def test_what_is_recent_is_claimed_once(self, backend: Backend) -> None:
        account = await new_account(backend.store)
        inbox = await filled_inbox(account, NO_FLAGS, NO_FLAGS)
        assert (await inbox.status()).recent_after == 0
        claimed = await inbox.claim_recent()
        assert (claimed.recent_after, claimed.messages, claimed.uid_next) == (0, 2, 3)
        assert (await inbox.claim_recent()).recent_after == 2
        await filled_inbox(account, NO_FLAGS)
        assert (await inbox.status()).recent_after == 2
        claimed = await inbox.claim_recent()
        assert claimed.recent_after == 2
        assert (await inbox.claim_recent()).recent_after == 3

    @on_backend
    async def test_claiming_recent_is_no_change(self, backend: Backend) -> None:
        inbox = await filled_inbox(await new_account(backend.store), NO_FLAGS)
        before = await inbox.status()
        assert (await inbox.claim_recent()).highest_modseq == before.highest_modseq
        assert (await inbox.status()).highest_modseq == before.highest_modseq

    @on_backend
    async def test_keywords_in_use_are_told(self, backend: Backend) -> None:
        inbox = await filled_inbox(
            await new_account(backend.store), flags("work", "\\Seen"), flags("$Label1", "Work"), NO_FLAGS
        )
        assert [keyword.lower() for keyword in await inbox.keywords()] == ["$label1", "work"]
        await inbox.store_flags(UIDSet.of([3]), ADD, flags("later"))
        await inbox.store_flags(UIDSet.of([1]), REMOVE, flags("WORK"))
        assert [keyword.lower() for keyword in await inbox.keywords()] == ["$label1", "later", "work"]
        await inbox.expunge(UIDSet.of([2]), only_deleted=False)
        assert list(await inbox.keywords()) == ["later"]

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
        inbox = await filled_inbox(await new_account(backend.store), flags("\\Flagged", "one"), flags("\\Answered"))
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
        inbox = await filled_inbox(await new_account(backend.store), flags("\\Seen", "work"), flags("\\Seen"))
        before = await inbox.status()
        for change, by in ((ADD, "\\Seen"), (REMOVE, "\\Flagged"), (REMOVE, "other")):
            outcome = await inbox.store_flags(EVERYTHING, change, flags(by))
            assert list(outcome.changed.uids) == []
        assert await inbox.status() == before
        outcome = await inbox.store_flags(EVERYTHING, ADD, flags("work"))
        assert list(outcome.changed.uids) == [2]

    @on_backend
    async def test_messages_newer_than_the_condition_are_left_alone(self, backend: Backend) -> None:
        inbox = await filled_inbox(await new_account(backend.store), NO_FLAGS, NO_FLAGS, NO_FLAGS)
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
        inbox = await filled_inbox(await new_account(backend.store), NO_FLAGS, NO_FLAGS, NO_FLAGS)
        await inbox.expunge(UIDSet.of([2]), only_deleted=False)
        outcome = await inbox.store_flags(UIDSet.span(1, 3), ADD, flags("\\Seen"))
        assert list(outcome.changed.uids) == [1, 3]
        assert outcome.gone == UIDSet.of([2])
        assert (await inbox.store_flags(EMPTY, ADD, flags("\\Seen"))).gone == EMPTY
        assert (await inbox.store_flags(EVERYTHING, ADD, flags("x"))).gone == UIDSet.of([2]), "never there, so not gone"

    # Copies and moves

    @on_backend
    async def test_copies_keep_flags_date_prefix_and_email(self, backend: Backend) -> None:
        account = await new_account(backend.store, ("Copies", None))
        prefix = b"Delivered-To: bob@example.test\r\n"
        await backend.store.deliver(transaction(place(account.name, prefix=prefix)))
        inbox = await filled_inbox(account, flags("\\Seen", "work"), NO_FLAGS)
        outcome = await inbox.copy(UIDSet.of([1, 2, 9]), "Copies")
        copies = await account.mailbox("Copies")
        status = await copies.status()
        assert (outcome.uid_validity, list(outcome.source_uids)) == (status.uid_validity, [1, 2])
        assert list(outcome.target_uids) == [1, 2]
        kept = FetchItem.FLAGS | FetchItem.INTERNAL_DATE | FetchItem.SIZE | FetchItem.BODY | FetchItem.EMAIL_ID
        old, new = await inbox.fetch(UIDSet.span(1, 2), kept), await copies.fetch(EVERYTHING, kept)
        assert list(new.flags or ()) == list(old.flags or ()) == [NO_FLAGS, flags("\\Seen", "work")]
        assert list(new.internal_dates or ()) == list(old.internal_dates or ())
        assert list(new.sizes or ()) == list(old.sizes or ())
        assert list(new.bodies or ()) == list(old.bodies or ()) == [prefix + message(), message("Number 1")]
        assert list(new.email_ids or ()) == list(old.email_ids or ())
        guids = (await inbox.fetch(EVERYTHING, FetchItem.GUID)).guids or ()
        copied = (await copies.fetch(EVERYTHING, FetchItem.GUID)).guids or ()
        assert set(guids).isdisjoint(copied)
        assert (await inbox.status()).messages == 3

    @on_backend
    async def test_a_copy_lives_on_its_own(self, backend: Backend) -> None:
        account = await new_account(backend.store, ("Copies", None))
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
        inbox = await filled_inbox(await new_account(backend.store), flags("a"), flags("b"))
        outcome = await inbox.copy(EVERYTHING, "inbox")
        assert (list(outcome.source_uids), list(outcome.target_uids)) == ([1, 2], [3, 4])
        assert [each.keyword_text for each in (await flags_by_uid(inbox)).values()] == ["a", "b", "a", "b"]

    @on_backend
    async def test_a_move_takes_the_messages_away_in_the_same_change(self, backend: Backend) -> None:
        account = await new_account(backend.store, ("Target", None))
        inbox = await filled_inbox(account, flags("\\Seen"), flags("keep"), flags("\\Flagged"))
        before = await inbox.status()
        guids = list((await inbox.fetch(UIDSet.of([1, 3]), FetchItem.GUID)).guids or ())
        outcome = await inbox.move(UIDSet.of([1, 3]), "Target")
        assert (list(outcome.source_uids), list(outcome.target_uids)) == ([1, 3], [1, 2])
        target = await account.mailbox("Target")
        assert await flags_by_uid(inbox) == {2: flags("keep")}
        assert await flags_by_uid(target) == {1: flags("\\Seen"), 2: flags("\\Flagged")}
        assert list((await target.fetch(EVERYTHING, FetchItem.GUID)).guids or ()) == guids
        assert (await inbox.changes(before.highest_modseq)).vanished == UIDSet.of([1, 3])
        assert (await inbox.status()).uid_next == before.uid_next

    @on_backend
    async def test_a_mailbox_may_be_moved_into_itself(self, backend: Backend) -> None:
        inbox = await filled_inbox(await new_account(backend.store), flags("a"), flags("b"))
        outcome = await inbox.move(UIDSet.of([1]), "INBOX")
        assert (list(outcome.source_uids), list(outcome.target_uids)) == ([1], [3])
        assert await flags_by_uid(inbox) == {2: flags("b"), 3: flags("a")}

    @on_backend
    async def test_a_missing_target_is_told_and_nothing_happens(self, backend: Backend) -> None:
        inbox = await filled_inbox(await new_account(backend.store), NO_FLAGS)
        before = await inbox.status()
        for uids in (UIDSet.of([1]), UIDSet.of([5]), EMPTY):
            with pytest.raises(NoSuchMailbox):
                await inbox.copy(uids, "Nowhere")
            with pytest.raises(NoSuchMailbox):
                await inbox.move(uids, "Nowhere")
        assert await inbox.status() == before

    @on_backend
    async def test_copying_nothing_changes_nothing(self, backend: Backend) -> None:
        account = await new_account(backend.store, ("Target", None))
        inbox = await filled_inbox(account, NO_FLAGS)
        target = await account.mailbox("Target")
        before = await inbox.status(), await target.status()
        for outcome in (await inbox.copy(UIDSet.of([7]), "Target"), await inbox.move(EMPTY, "Target")):
            assert (list(outcome.source_uids), list(outcome.target_uids)) == ([], [])
            assert outcome.uid_validity == before[1].uid_validity
        assert (await inbox.status(), await target.status()) == before

    # Removal

    @on_backend
    async def test_expunge_removes_what_is_deleted_within_the_set(self, backend: Backend) -> None:
        deleted = flags("\\Deleted")
        inbox = await filled_inbox(await new_account(backend.store), deleted, NO_FLAGS, deleted, deleted)
        assert await inbox.expunge(UIDSet.span(1, 3)) == UIDSet.of([1, 3])
        assert await inbox.uids() == UIDSet.of([2, 4])
        assert await inbox.expunge() == UIDSet.of([4])
        assert await inbox.expunge(UIDSet.of([2, 99]), only_deleted=False) == UIDSet.of([2])
        assert (await inbox.status()).messages == 0

    @on_backend
    async def test_expunging_nothing_changes_nothing(self, backend: Backend) -> None:
        inbox = await filled_inbox(await new_account(backend.store), NO_FLAGS)
        before = await inbox.status()
        assert await inbox.expunge() == EMPTY
        assert await inbox.expunge(UIDSet.of([1])) == EMPTY
        assert await inbox.expunge(EMPTY, only_deleted=False) == EMPTY
        assert await inbox.status() == before

    @on_backend
    async def test_an_expunged_message_stays_readable_for_an_hour_and_counts_nowhere(self, backend: Backend) -> None:
        inbox = await filled_inbox(await new_account(backend.store), flags("\\Deleted", "gone"), NO_FLAGS, NO_FLAGS)
        await inbox.expunge()
        backend.advance(3590)
        await inbox.expunge(UIDSet.of([3]), only_deleted=False)
        columns = await inbox.fetch(
            UIDSet.span(1, 3), FetchItem.BODY | FetchItem.FLAGS | FetchItem.SIZE | FetchItem.HEADER
        )
        assert list(columns.uids) == [1, 2, 3]
        assert list(columns.bodies or ()) == [message(f"Number {number}") for number in (1, 2, 3)]
        assert (columns.flags or ())[0] == flags("\\Deleted", "gone")
        opened = await inbox.open_body(1)
        assert await opened.read(0, opened.size) == message("Number 1")
        opened.close()
        assert list(await inbox.uids()) == [2]
        assert list(await inbox.keywords()) == []
        assert await inbox.status() == await recounted(inbox)
        assert list((await inbox.copy(UIDSet.of([1, 2]), "INBOX")).source_uids) == [2]
        assert list((await inbox.store_flags(UIDSet.of([1]), ADD, flags("\\Seen"))).changed.uids) == []
        assert await inbox.expunge(UIDSet.of([1, 3]), only_deleted=False) == EMPTY

    @on_backend
    async def test_a_message_that_never_was_cannot_be_opened(self, backend: Backend) -> None:
        inbox = await filled_inbox(await new_account(backend.store), NO_FLAGS)
        with pytest.raises(NoSuchMessage):
            await inbox.open_body(2)

    # Several at once

    @on_backend
    async def test_changes_that_do_not_wait_for_each_other_all_happen(self, backend: Backend) -> None:
        account = await new_account(backend.store, ("Target", None))
        inbox = await filled_inbox(account, *[NO_FLAGS] * 30)
        target = await account.mailbox("Target")
        flagging = [inbox.store_flags(UIDSet.of([n]), ADD, flags("\\Seen", f"k{n % 3}")) for n in range(1, 31)]
        moving = [inbox.move(UIDSet.of([n]), "Target") for n in range(1, 31, 3)]
        reading = [inbox.status(), target.status()]
        appending = [inbox.append([(body(message(f"new {n}")), NO_FLAGS, DATE)]) for n in range(5)]
        expunging = [inbox.expunge(UIDSet.of([n]), only_deleted=False) for n in range(2, 31, 3)]
        for waiting in (flagging, moving, reading, appending, expunging):
            for deferred in waiting:
                await deferred
        assert await inbox.uids() == UIDSet.of([*range(3, 31, 3), *range(31, 36)])
        assert len(await target.uids()) == 10
        assert set((await flags_by_uid(target)).values()) == {flags("\\Seen", "k1")}
        for mailbox in (inbox, target):
            assert await mailbox.status() == await recounted(mailbox)
        modseqs = (await inbox.fetch(EVERYTHING, FetchItem.MODSEQ)).modseqs or ()
        assert max(modseqs) <= (await inbox.status()).highest_modseq
