"""What is asked of a mailbox when it is selected."""

from __future__ import annotations

import pytest

from ...mail.errors import NoSuchMailbox
from ...mail.flags import NO_FLAGS
from ...mail.uid_set import UIDSet
from ..backend import Backend, on_backend
from ..samples import filled_inbox, flags
from .counting import ADD, EVERYTHING, REMOVE


class OverviewContract:
    """IRecent and IOverview."""

    @on_backend
    async def test_what_is_recent_is_claimed_once(self, backend: Backend) -> None:
        account = await backend.new_account()
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
        inbox = await filled_inbox(await backend.new_account(), NO_FLAGS)
        before = await inbox.status()
        assert (await inbox.claim_recent()).highest_modseq == before.highest_modseq
        assert (await inbox.status()).highest_modseq == before.highest_modseq

    @on_backend
    async def test_keywords_in_use_are_told(self, backend: Backend) -> None:
        inbox = await filled_inbox(
            await backend.new_account(), flags("work", "\\Seen"), flags("$Label1", "Work"), NO_FLAGS
        )
        assert [keyword.lower() for keyword in await inbox.keywords()] == ["$label1", "work"]
        await inbox.store_flags(UIDSet.of([3]), ADD, flags("later"))
        await inbox.store_flags(UIDSet.of([1]), REMOVE, flags("WORK"))
        assert [keyword.lower() for keyword in await inbox.keywords()] == ["$label1", "later", "work"]
        await inbox.expunge(UIDSet.of([2]), only_deleted=False)
        assert list(await inbox.keywords()) == ["later"]

    @on_backend
    async def test_keywords_of_expunged_messages_are_not_in_use(self, backend: Backend) -> None:
        inbox = await filled_inbox(await backend.new_account(), flags("\\Deleted", "gone"), NO_FLAGS)
        assert list(await inbox.keywords()) == ["gone"]
        await inbox.expunge()
        assert list(await inbox.keywords()) == []

    @on_backend
    async def test_keywords_follow_what_comes(self, backend: Backend) -> None:
        account = await backend.new_account()
        inbox = await filled_inbox(account, NO_FLAGS)
        assert list(await inbox.keywords()) == []
        await filled_inbox(account, flags("new"))
        await inbox.store_flags(UIDSet.of([1]), ADD, flags("old"))
        assert list(await inbox.keywords()) == ["new", "old"]

    @on_backend
    async def test_the_first_unseen_follows(self, backend: Backend) -> None:
        account = await backend.new_account()
        inbox = await account.mailbox("INBOX")
        assert await inbox.first_unseen() is None
        await filled_inbox(account, flags("\\Seen"), NO_FLAGS, flags("\\Seen"), NO_FLAGS)
        assert await inbox.first_unseen() == 2
        await inbox.expunge(UIDSet.of([2]), only_deleted=False)
        assert await inbox.first_unseen() == 4
        await inbox.store_flags(EVERYTHING, ADD, flags("\\Seen"))
        assert await inbox.first_unseen() is None

    @on_backend
    async def test_a_deleted_mailbox_has_nothing_to_show(self, backend: Backend) -> None:
        account = await backend.new_account()
        await account.create("Gone")
        gone = await account.mailbox("Gone")
        await account.delete("Gone")
        for call in (gone.claim_recent, gone.keywords, gone.first_unseen):
            with pytest.raises(NoSuchMailbox):
                await call()
