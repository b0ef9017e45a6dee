"""Messages of a mailbox: reading columns, counting."""

from __future__ import annotations

from ...mail.columns import FetchItem, InternalDate
from ...mail.flags import NO_FLAGS
from ...mail.uid_set import EMPTY, UIDSet
from ..backend import Backend, on_backend
from ..samples import DATE, body, filled_inbox, flags, message, place, transaction
from .counting import ADD, EVERYTHING, REMOVE, REPLACE, recounted


class MessagesContract:
    """IMailbox: append, fetch, status and what else is asked of a mailbox."""

    # Reading

    @on_backend
    async def test_appended_messages_are_read_back_in_order(self, backend: Backend) -> None:
        account = await backend.new_account()
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
            EVERYTHING, FetchItem.FLAGS | FetchItem.INTERNAL_DATE | FetchItem.SIZE | FetchItem.BODY
        )
        assert list(columns.uids) == [1, 2, 3]
        assert list(columns.flags or ()) == [wanted for _, wanted, _ in sent]
        assert list(columns.internal_dates or ()) == [date for _, _, date in sent]
        assert list(columns.sizes or ()) == [each.size for each, _, _ in sent]
        assert list(columns.bodies or ()) == [each.content for each, _, _ in sent]

    @on_backend
    async def test_only_what_was_asked_for_is_given(self, backend: Backend) -> None:
        inbox = await filled_inbox(await backend.new_account(), NO_FLAGS, NO_FLAGS)
        columns = await inbox.fetch(EVERYTHING, FetchItem.NONE)
        assert list(columns.uids) == [1, 2]
        for item, name in (
            (FetchItem.FLAGS, "flags"),
            (FetchItem.INTERNAL_DATE, "internal_dates"),
            (FetchItem.SIZE, "sizes"),
            (FetchItem.MODSEQ, "modseqs"),
            (FetchItem.BODY, "bodies"),
        ):
            assert getattr(columns, name) is None
            columns_with = await inbox.fetch(EVERYTHING, item)
            assert len(getattr(columns_with, name)) == 2
            for other in ("flags", "sizes", "modseqs", "bodies"):
                assert other == name or getattr(columns_with, other) is None

    @on_backend
    async def test_a_set_of_uids_may_have_gaps_and_numbers_that_are_not_there(self, backend: Backend) -> None:
        inbox = await filled_inbox(await backend.new_account(), *[NO_FLAGS] * 9)
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
        inbox = await filled_inbox(await backend.new_account(), *[NO_FLAGS] * 40)
        every_other = UIDSet.of(range(1, 20_000, 2))
        columns = await inbox.fetch(every_other, FetchItem.FLAGS)
        assert list(columns.uids) == list(range(1, 41, 2))
        outcome = await inbox.store_flags(every_other, ADD, flags("\\Seen"))
        assert list(outcome.changed.uids) == list(range(1, 41, 2))
        assert (await inbox.status()).unseen == 20
        assert await inbox.expunge(every_other, only_deleted=False) == UIDSet.of(range(1, 41, 2))
        assert await inbox.uids() == UIDSet.of(range(2, 41, 2))

    # Counting

    @on_backend
    async def test_appending_nothing_changes_nothing(self, backend: Backend) -> None:
        inbox = await filled_inbox(await backend.new_account(), NO_FLAGS)
        before = await inbox.status()
        assert list((await inbox.append([])).target_uids) == []
        assert await inbox.status() == before

    @on_backend
    async def test_counters_follow_every_change(self, backend: Backend) -> None:
        account = await backend.new_account(("Other", None))
        inbox = await filled_inbox(account, NO_FLAGS, flags("\\Seen"), flags("\\Deleted"), flags("\\Seen", "\\Deleted"))
        other = await account.mailbox("Other")
        for change in (
            lambda: inbox.store_flags(EVERYTHING, ADD, flags("\\Flagged", "x")),
            lambda: inbox.store_flags(UIDSet.span(1, 2), REPLACE, flags("\\Deleted")),
            lambda: inbox.copy(UIDSet.span(2, 4), "Other"),
            lambda: inbox.store_flags(UIDSet.of([1]), REMOVE, flags("\\Deleted", "\\Seen")),
            lambda: other.expunge(),
            lambda: inbox.copy(EVERYTHING, "INBOX"),
            lambda: backend.store.deliver(transaction(place(account.name), place(account.name, "Other"))),
            lambda: inbox.expunge(UIDSet.of([3, 5]), only_deleted=False),
            lambda: inbox.expunge(),
        ):
            await change()
            for mailbox in (inbox, other):
                assert await mailbox.status() == await recounted(mailbox)

    @on_backend
    async def test_uids_follow(self, backend: Backend) -> None:
        account = await backend.new_account()
        inbox = await account.mailbox("INBOX")
        assert await inbox.uids() == EMPTY
        await filled_inbox(account, flags("\\Seen"), NO_FLAGS, flags("\\Seen"), NO_FLAGS)
        assert await inbox.uids() == UIDSet.span(1, 4)
        await inbox.expunge(UIDSet.of([2]), only_deleted=False)
        assert await inbox.uids() == UIDSet.of([1, 3, 4])

    @on_backend
    async def test_uids_are_never_given_twice(self, backend: Backend) -> None:
        account = await backend.new_account()
        inbox = await filled_inbox(account, NO_FLAGS, NO_FLAGS)
        await inbox.expunge(EVERYTHING, only_deleted=False)
        backend.advance(2 * 3600)
        await filled_inbox(account, NO_FLAGS)
        await backend.restart()
        inbox = await (await backend.store.account(account.name)).mailbox("INBOX")
        await inbox.expunge(EVERYTHING, only_deleted=False)
        assert list((await inbox.append([(body(), NO_FLAGS, DATE)])).target_uids) == [4]
        assert (await inbox.status()).uid_next == 5
