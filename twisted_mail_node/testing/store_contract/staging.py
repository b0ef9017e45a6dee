"""Bodies that come in pieces before their transaction."""

from __future__ import annotations

import pytest
from zope.interface.verify import verifyObject

from ...interfaces.store import IBodyWriter
from ...mail.columns import FetchItem
from ...mail.errors import MailError, Refused, TemporaryFailure, Unavailable
from ...mail.flags import NO_FLAGS
from ...mail.transaction import Body
from ...mail.uid_set import UIDSet
from ..backend import Backend, on_backend
from ..samples import DATE, body, filled_inbox, flags, message, place, transaction, unique
from .bodies import PIECE, large_message, read_whole, staged
from .notices import Listener


class StagingContract:
    """IBodyStaging and IBodyWriter."""

    @on_backend
    async def test_a_staged_body_is_delivered_and_read_back_in_pieces(self, backend: Backend) -> None:
        account = await backend.new_account(("Other", None))
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
    async def test_a_staged_body_can_be_appended(self, backend: Backend) -> None:
        inbox = await filled_inbox(await backend.new_account(), NO_FLAGS)
        content = large_message()
        outcome = await inbox.append([(await staged(backend.store, content), NO_FLAGS, DATE)])
        assert list(outcome.target_uids) == [2]
        assert await read_whole(await inbox.open_body(2)) == content

    @on_backend
    async def test_a_body_given_up_leaves_nothing_and_may_be_given_up_twice(self, backend: Backend) -> None:
        inbox = await filled_inbox(await backend.new_account())
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
        account = await backend.new_account()
        writer = backend.store.stage_body()
        await writer.write(large_message())
        body = await writer.finish(10, False)
        writer.abort()
        with pytest.raises(MailError):
            await backend.store.deliver(transaction(place(account.name), bodies=(body,)))
        assert (await (await account.mailbox("INBOX")).status()).messages == 0

    @on_backend
    async def test_giving_up_after_the_commit_does_no_harm(self, backend: Backend) -> None:
        account = await backend.new_account()
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
        account = await backend.new_account()
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

    @on_backend
    async def test_a_staged_body_that_is_not_there_fails_and_leaves_nothing(self, backend: Backend) -> None:
        account = await backend.new_account()
        lost = Body(5, 5, staged="no-such-body")
        with pytest.raises(TemporaryFailure):
            await backend.store.deliver(transaction(place(account.name), bodies=(lost,)))
        inbox = await account.mailbox("INBOX")
        with pytest.raises(TemporaryFailure):
            await inbox.append([(body(), flags(), DATE), (lost, flags(), DATE)])
        assert (await inbox.status()).messages == 0

    @on_backend
    async def test_a_refused_transaction_may_come_again_with_what_is_left(self, backend: Backend) -> None:
        account = await backend.new_account()
        writer = backend.store.stage_body()
        await writer.write(message("x" * 300_000))
        staged = await writer.finish(len(message()) - 15, False)
        id = unique("refused-")
        with pytest.raises(Refused):
            await backend.store.deliver(
                transaction(place(account.name), place("nobody@example.test"), bodies=(staged,), id=id)
            )
        await backend.store.deliver(transaction(place(account.name), bodies=(staged,), id=id))
        assert (await (await account.mailbox("INBOX")).status()).size == staged.size

    @on_backend
    async def test_a_change_that_failed_is_told_to_nobody(self, backend: Backend) -> None:
        account, other = await backend.new_account(), await backend.new_account()
        inbox = await filled_inbox(account, NO_FLAGS)
        before = await inbox.status()
        writer = backend.store.stage_body()
        await writer.write(b"Subject: taken once\r\n\r\n")
        staged = await writer.finish(23, False)
        await backend.store.deliver(transaction(place(other.name), bodies=(staged,)))
        mine, theirs = Listener(), Listener()
        backend.store.watch(account.name, mine)
        backend.store.watch(other.name, theirs)
        with pytest.raises(TemporaryFailure):
            await inbox.append([(body(), NO_FLAGS, DATE), (staged, NO_FLAGS, DATE)])
        highest = (await (await filled_inbox(other, NO_FLAGS)).status()).highest_modseq
        await backend.until(lambda: theirs.modseq >= highest)
        assert mine.notices == []
        assert await inbox.status() == before

    @on_backend
    async def test_a_stopped_store_takes_no_pieces(self, backend: Backend) -> None:
        writer = backend.store.stage_body()
        await backend.store.stop()
        with pytest.raises(Unavailable):
            await writer.write(b"late")
        await backend.open_again()
