"""Bodies in pieces: staged on the way in, opened on the way out."""

from __future__ import annotations

import pytest
from zope.interface.verify import verifyObject

from ...interfaces.store import IBodyWriter, IMailStore, IOpenBody
from ...mail.columns import INLINE_BODY_OCTETS, FetchItem
from ...mail.errors import MailError
from ...mail.flags import NO_FLAGS
from ...mail.transaction import Body
from ...mail.uid_set import UIDSet
from ..backend import Backend, on_backend
from ..samples import DATE, filled_inbox, message, new_account, place, transaction

PIECE = 65_536


def large_message(octets: int = 700_000) -> bytes:
    """A message well above what is given in a column, no two stretches of it alike."""
    return message("".join(f"line {number}\n" for number in range(octets // 12)))


async def staged(store: IMailStore, content: bytes, piece: int = PIECE) -> Body:
    """The content, written in pieces."""
    writer = store.stage_body()
    for start in range(0, len(content), piece):
        await writer.write(content[start : start + piece])
    return await writer.finish(content.index(b"\r\n\r\n") + 4, not content.isascii())


async def read_whole(opened: IOpenBody, piece: int = PIECE) -> bytes:
    """Everything from an opened body, in pieces; closes it."""
    pieces: list[bytes] = []
    offset = 0
    while data := await opened.read(offset, piece):
        assert len(data) <= piece
        pieces.append(data)
        offset += len(data)
    opened.close()
    return b"".join(pieces)


class BodiesContract:
    """IBodyWriter and IOpenBody."""

    @on_backend
    async def test_a_staged_body_is_delivered_and_read_back_in_pieces(self, backend: Backend) -> None:
        account = await new_account(backend.store, ("Other", None))
        content, prefix = large_message(), b"Delivered-To: bob@example.test\r\n"
        body = await staged(backend.store, content)
        assert (body.size, body.header_size) == (len(content), content.index(b"\r\n\r\n") + 4)
        assert body.content is None
        await backend.store.deliver(
            transaction(place(account.name, prefix=prefix), place(account.name, "Other"), bodies=(body,))
        )
        for name, wanted in (("INBOX", prefix + content), ("Other", content)):
            mailbox = await account.mailbox(name)
            columns = await mailbox.fetch(UIDSet.span(1, 1), FetchItem.BODY | FetchItem.SIZE | FetchItem.HEADER)
            assert list(columns.bodies or ()) == [None]
            assert list(columns.sizes or ()) == [len(wanted)]
            assert list(columns.headers or ()) == [wanted[: wanted.index(b"\r\n\r\n") + 4]]
            assert (await mailbox.status()).size == len(wanted)
            opened = await mailbox.open_body(1)
            assert opened.size == len(wanted)
            assert await read_whole(opened) == wanted

    @on_backend
    async def test_any_part_of_an_opened_body_can_be_read(self, backend: Backend) -> None:
        account = await new_account(backend.store)
        content, prefix = large_message(300_000), b"Return-Path: <>\r\n"
        body = await staged(backend.store, content, piece=10_007)
        await backend.store.deliver(transaction(place(account.name, prefix=prefix), bodies=(body,)))
        whole = prefix + content
        opened = await (await account.mailbox("INBOX")).open_body(1)
        assert verifyObject(IOpenBody, opened)
        for offset, length in (
            (0, 1),
            (0, len(prefix)),
            (0, len(prefix) + 5),
            (len(prefix) - 1, 2),
            (len(prefix), 10),
            (PIECE - 3, 6),
            (200_000, 90_000),
            (len(whole) - 4, 100),
            (0, len(whole) + 100),
        ):
            assert await opened.read(offset, length) == whole[offset : offset + length]
        assert await opened.read(len(whole), 10) == b""
        assert await opened.read(len(whole) + 5, 10) == b""
        opened.close()
        opened.close()

    @on_backend
    async def test_small_messages_can_be_opened_too(self, backend: Backend) -> None:
        account = await new_account(backend.store)
        prefix = b"Delivered-To: bob@example.test\r\n"
        await backend.store.deliver(transaction(place(account.name, prefix=prefix)))
        opened = await (await account.mailbox("INBOX")).open_body(1)
        assert opened.size == len(prefix + message())
        assert await read_whole(opened, piece=7) == prefix + message()

    @on_backend
    async def test_an_opened_body_stays_readable_though_it_goes(self, backend: Backend) -> None:
        account = await new_account(backend.store, ("Doomed", None))
        inbox = await account.mailbox("INBOX")
        content = large_message()
        await inbox.append([(await staged(backend.store, content), NO_FLAGS, DATE)])
        opened = await inbox.open_body(1)
        half = await opened.read(0, 300_000)
        await inbox.expunge(UIDSet.span(1, 1), only_deleted=False)
        assert half + await opened.read(300_000, len(content)) == content
        opened.close()

    @on_backend
    async def test_a_staged_body_can_be_appended(self, backend: Backend) -> None:
        inbox = await filled_inbox(await new_account(backend.store), NO_FLAGS)
        content = large_message()
        outcome = await inbox.append([(await staged(backend.store, content), NO_FLAGS, DATE)])
        assert list(outcome.target_uids) == [2]
        assert await read_whole(await inbox.open_body(2)) == content

    @on_backend
    async def test_octets_of_every_value_are_kept(self, backend: Backend) -> None:
        inbox = await filled_inbox(await new_account(backend.store))
        content = b"X: y\r\n\r\n" + bytes(range(256)) * 1200
        await inbox.append([(await staged(backend.store, content), NO_FLAGS, DATE)])
        assert await read_whole(await inbox.open_body(1)) == content

    @on_backend
    async def test_a_body_up_to_the_bound_is_given_in_a_column(self, backend: Backend) -> None:
        inbox = await filled_inbox(await new_account(backend.store))
        head = b"X: y\r\n\r\n"
        content = head + b"a" * (INLINE_BODY_OCTETS - len(head))
        await inbox.append([(Body(len(content), len(head), content), NO_FLAGS, DATE)])
        larger = content + b"b"
        await inbox.append([(await staged(backend.store, larger), NO_FLAGS, DATE)])
        columns = await inbox.fetch(UIDSet.span(1, 2), FetchItem.BODY)
        assert list(columns.bodies or ()) == [content, None]

    @on_backend
    async def test_a_body_given_up_leaves_nothing_and_may_be_given_up_twice(self, backend: Backend) -> None:
        inbox = await filled_inbox(await new_account(backend.store))
        fresh, begun = backend.store.stage_body(), backend.store.stage_body()
        assert verifyObject(IBodyWriter, begun)
        await begun.write(b"X: y\r\n\r\n" + b"z" * 400_000)
        for writer in (fresh, begun):
            writer.abort()
            writer.abort()
            with pytest.raises(MailError):
                await writer.write(b"more")
            with pytest.raises(MailError):
                await writer.finish(0, False)
        assert (await inbox.status()).messages == 0

    @on_backend
    async def test_a_finished_body_may_still_be_given_up(self, backend: Backend) -> None:
        account = await new_account(backend.store)
        writer = backend.store.stage_body()
        await writer.write(large_message())
        body = await writer.finish(10, False)
        writer.abort()
        with pytest.raises(MailError):
            await backend.store.deliver(transaction(place(account.name), bodies=(body,)))
        assert (await (await account.mailbox("INBOX")).status()).messages == 0

    @on_backend
    async def test_giving_up_after_the_commit_does_no_harm(self, backend: Backend) -> None:
        account = await new_account(backend.store)
        content = large_message()
        writer = backend.store.stage_body()
        await writer.write(content)
        body = await writer.finish(content.index(b"\r\n\r\n") + 4, False)
        await backend.store.deliver(transaction(place(account.name), bodies=(body,)))
        writer.abort()
        await backend.restart()
        inbox = await (await backend.store.account(account.name)).mailbox("INBOX")
        assert await read_whole(await inbox.open_body(1)) == content

    @on_backend
    async def test_bodies_written_side_by_side_do_not_mix(self, backend: Backend) -> None:
        account = await new_account(backend.store)
        contents = [message(f"{letter}\n" * 150_000) for letter in "abc"]
        writers = [backend.store.stage_body() for _ in contents]
        for start in range(0, len(contents[0]), PIECE):
            waiting = [
                writer.write(content[start : start + PIECE]) for writer, content in zip(writers, contents, strict=True)
            ]
            for deferred in waiting:
                await deferred
        bodies = tuple([await writer.finish(len(contents[0]) - 450_002, False) for writer in writers])
        await backend.store.deliver(transaction(*(place(account.name, body=n) for n in range(3)), bodies=bodies))
        inbox = await account.mailbox("INBOX")
        assert [await read_whole(await inbox.open_body(uid)) for uid in (1, 2, 3)] == contents
