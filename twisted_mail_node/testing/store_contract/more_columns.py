"""Columns that a store may leave out, and that sessions are given all the same."""

from __future__ import annotations

from ...mail.columns import KEPT, FetchItem
from ...mail.flags import NO_FLAGS
from ...mail.transaction import Body
from ...mail.uid_set import UIDSet
from ..backend import Backend, on_backend
from ..samples import DATE, body, filled_inbox, message, place, transaction
from .bodies import ANY_OCTETS, large_message, staged
from .counting import EVERYTHING


class MoreColumnsContract:
    """IMailbox.fetch: HEADER, EMAIL_ID, GUID, SAVE_DATE and the kept forms."""

    @on_backend
    async def test_each_of_them_is_given_where_it_was_asked_for(self, backend: Backend) -> None:
        inbox = await filled_inbox(await backend.new_account(), NO_FLAGS, NO_FLAGS)
        for item, name in (
            (FetchItem.HEADER, "headers"),
            (FetchItem.EMAIL_ID, "email_ids"),
            (FetchItem.GUID, "guids"),
            (FetchItem.SAVE_DATE, "save_dates"),
            *KEPT.items(),
        ):
            assert getattr(await inbox.fetch(EVERYTHING, FetchItem.FLAGS), name) is None
            columns = await inbox.fetch(EVERYTHING, item)
            assert len(getattr(columns, name)) == 2
            assert columns.flags is None
            assert len(getattr(await inbox.fetch(UIDSet.of([9]), item), name)) == 0

    @on_backend
    async def test_the_header_block_has_prefix_and_empty_line(self, backend: Backend) -> None:
        account = await backend.new_account()
        prefix, large = b"Delivered-To: bob@example.test\r\n", large_message()
        binary = b"A: b\r\n\r\n" + ANY_OCTETS
        bodies = (
            body(message("Grüße")),
            await staged(backend.store, large),
            Body(6, 6, b"X: y\r\n"),
            Body(len(binary), 8, binary),
        )
        await backend.store.deliver(
            transaction(*(place(account.name, body=n, prefix=prefix) for n in range(len(bodies))), bodies=bodies)
        )
        inbox = await account.mailbox("INBOX")
        await inbox.append([(Body(11, 2, b"\r\nno header"), NO_FLAGS, DATE)])
        wanted = [
            *(prefix + content[: content.index(b"\r\n\r\n") + 4] for content in (message(), large)),
            prefix + b"X: y\r\n",
            prefix + b"A: b\r\n\r\n",
            b"\r\n",
        ]
        for _ in range(2):
            assert list((await inbox.fetch(EVERYTHING, FetchItem.HEADER)).headers or ()) == wanted

    @on_backend
    async def test_an_expunged_message_has_them_while_it_is_readable(self, backend: Backend) -> None:
        inbox = await filled_inbox(await backend.new_account(), NO_FLAGS)
        before = await inbox.fetch(EVERYTHING, FetchItem.HEADER | FetchItem.GUID)
        await inbox.expunge(EVERYTHING, only_deleted=False)
        after = await inbox.fetch(EVERYTHING, FetchItem.HEADER | FetchItem.GUID)
        assert after == before
        assert len(after) == 1

    @on_backend
    async def test_each_entry_has_a_guid_and_one_email_has_one_id(self, backend: Backend) -> None:
        account = await backend.new_account()
        await backend.store.deliver(transaction(place(account.name), place(account.name)))
        await backend.store.deliver(transaction(place(account.name), bodies=(body(message("other")),)))
        inbox = await account.mailbox("INBOX")
        columns = await inbox.fetch(EVERYTHING, FetchItem.GUID | FetchItem.EMAIL_ID)
        guids, email_ids = list(columns.guids or ()), list(columns.email_ids or ())
        assert len(set(guids)) == 3
        assert all(1 <= len(guid) <= 70 and all("!" <= c <= "~" for c in guid) for guid in guids)
        assert email_ids[0] != email_ids[2]
        assert all(len(email_id) <= 255 for email_id in email_ids)
        assert all(c.isascii() and (c.isalnum() or c in "_-") for email_id in email_ids for c in email_id)

    @on_backend
    async def test_copies_are_the_same_email_in_entries_of_their_own(self, backend: Backend) -> None:
        account = await backend.new_account(("Copies", None))
        inbox = await filled_inbox(account, NO_FLAGS, NO_FLAGS)
        await inbox.copy(EVERYTHING, "Copies")
        copies = await account.mailbox("Copies")
        old, new = [await mailbox.fetch(EVERYTHING, FetchItem.EMAIL_ID | FetchItem.GUID) for mailbox in (inbox, copies)]
        assert list(new.email_ids or ()) == list(old.email_ids or ())
        assert set(new.guids or ()).isdisjoint(old.guids or ())

    @on_backend
    async def test_a_message_moved_elsewhere_is_the_same_email(self, backend: Backend) -> None:
        account = await backend.new_account(("Elsewhere", None))
        inbox = await filled_inbox(account, NO_FLAGS, NO_FLAGS)
        before = await inbox.fetch(EVERYTHING, FetchItem.EMAIL_ID)
        await inbox.move(EVERYTHING, "Elsewhere")
        elsewhere = await account.mailbox("Elsewhere")
        after = await elsewhere.fetch(EVERYTHING, FetchItem.EMAIL_ID)
        assert list(after.email_ids or ()) == list(before.email_ids or ())

    @on_backend
    async def test_a_save_date_is_when_the_message_came_into_the_mailbox(self, backend: Backend) -> None:
        account = await backend.new_account(("Copies", None), ("Moved", None))
        inbox = await account.mailbox("INBOX")

        async def saved(name: str) -> list[int | None]:
            return list((await (await account.mailbox(name)).fetch(EVERYTHING, FetchItem.SAVE_DATE)).save_dates or ())

        await backend.store.deliver(transaction(place(account.name)))
        await inbox.append([(body(), NO_FLAGS, DATE)])
        (first, second) = await saved("INBOX")
        if first is None:
            assert second is None, "a store knows all or none"
            return
        backend.advance(100)
        await inbox.copy(EVERYTHING, "Copies")
        backend.advance(1000)
        await inbox.move(EVERYTHING, "Moved")
        copied, moved = await saved("Copies"), await saved("Moved")
        assert None not in (second, *copied, *moved)
        assert all(copy - first >= 99 for copy in copied if copy is not None)
        assert all(move - first >= 1099 for move in moved if move is not None)

    @on_backend
    async def test_ids_are_the_same_after_a_restart(self, backend: Backend) -> None:
        account = await backend.new_account()
        inbox = await filled_inbox(account, NO_FLAGS, NO_FLAGS)
        before = await inbox.fetch(EVERYTHING, FetchItem.EMAIL_ID | FetchItem.GUID)
        await backend.restart()
        inbox = await (await backend.store.account(account.name)).mailbox("INBOX")
        assert await inbox.fetch(EVERYTHING, FetchItem.EMAIL_ID | FetchItem.GUID) == before
