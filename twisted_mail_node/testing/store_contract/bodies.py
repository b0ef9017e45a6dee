"""Bodies: of any size on the way in, opened and read in pieces on the way out."""

from __future__ import annotations

from zope.interface.verify import verifyObject

from ...interfaces.required_store import IBasicStore, IOpenBody
from ...interfaces.store import IBodyStaging
from ...mail.columns import INLINE_BODY_OCTETS, FetchItem
from ...mail.flags import NO_FLAGS
from ...mail.transaction import Body
from ...mail.uid_set import UIDSet
from ..backend import Backend, on_backend
from ..samples import DATE, filled_inbox, message, place, transaction

PIECE = 65_536


def large_message(octets: int = 700_000) -> bytes:
    """A message well above what is given in a column, no two stretches of it alike."""
    return message("".join(f"line {number}\n" for number in range(octets // 12)))


async def carried(store: IBasicStore, content: bytes, piece: int = PIECE) -> Body:
    """A large body as the store takes it: in pieces where it can, else as a whole."""
    if IBodyStaging.providedBy(store):
        return await staged(IBodyStaging(store), content, piece)
    return Body(len(content), content.index(b"\r\n\r\n") + 4, content, eight_bit=not content.isascii())


async def staged(store: IBodyStaging, content: bytes, piece: int = PIECE) -> Body:
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


ANY_OCTETS = bytes(range(256)) + b"\n\r\r\n.\r\n\n\r"
"""What binary mail may have in it."""


class BodiesContract:
    """IOpenBody, and bodies in columns."""

    @on_backend
    async def test_whatever_octets_a_body_has_come_back(self, backend: Backend) -> None:
        """Binary mail (RFC 3030 §3) has CR, LF and NUL anywhere, and need not end a line."""
        account = await backend.new_account()
        inbox = await account.mailbox("INBOX")
        contents = [b"A: b\r\n\r\n" + ANY_OCTETS, b"A: b\r\n\r\n" + ANY_OCTETS * 2500]
        for content in contents:
            body = await carried(backend.store, content)
            await backend.store.deliver(transaction(place(account.name, prefix=b"X: y\r\n"), bodies=(body,)))
        for uid, content in enumerate(contents, 1):
            assert await read_whole(await inbox.open_body(uid)) == b"X: y\r\n" + content
        columns = await inbox.fetch(UIDSet.of([1, 2]), FetchItem.SIZE)
        assert list(columns.sizes or ()) == [len(content) + 6 for content in contents]

    @on_backend
    async def test_any_part_of_an_opened_body_can_be_read(self, backend: Backend) -> None:
        account = await backend.new_account()
        content, prefix = large_message(300_000), b"Return-Path: <>\r\n"
        body = await carried(backend.store, content, piece=10_007)
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
        account = await backend.new_account()
        prefix = b"Delivered-To: bob@example.test\r\n"
        await backend.store.deliver(transaction(place(account.name, prefix=prefix)))
        opened = await (await account.mailbox("INBOX")).open_body(1)
        assert opened.size == len(prefix + message())
        assert await read_whole(opened, piece=7) == prefix + message()

    @on_backend
    async def test_an_opened_body_stays_readable_though_it_goes(self, backend: Backend) -> None:
        account = await backend.new_account(("Doomed", None))
        inbox = await account.mailbox("INBOX")
        content = large_message()
        await inbox.append([(await carried(backend.store, content), NO_FLAGS, DATE)])
        opened = await inbox.open_body(1)
        half = await opened.read(0, 300_000)
        await inbox.expunge(UIDSet.span(1, 1), only_deleted=False)
        assert half + await opened.read(300_000, len(content)) == content
        opened.close()

    @on_backend
    async def test_octets_of_every_value_are_kept(self, backend: Backend) -> None:
        inbox = await filled_inbox(await backend.new_account())
        content = b"X: y\r\n\r\n" + bytes(range(256)) * 1200
        await inbox.append([(await carried(backend.store, content), NO_FLAGS, DATE)])
        assert await read_whole(await inbox.open_body(1)) == content

    @on_backend
    async def test_a_body_up_to_the_bound_is_given_in_a_column(self, backend: Backend) -> None:
        inbox = await filled_inbox(await backend.new_account())
        head = b"X: y\r\n\r\n"
        content = head + b"a" * (INLINE_BODY_OCTETS - len(head))
        await inbox.append([(Body(len(content), len(head), content), NO_FLAGS, DATE)])
        larger = content + b"b"
        await inbox.append([(await carried(backend.store, larger), NO_FLAGS, DATE)])
        columns = await inbox.fetch(UIDSet.span(1, 2), FetchItem.BODY)
        assert list(columns.bodies or ()) == [content, None]
