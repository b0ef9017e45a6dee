"""Moves from one mailbox to another."""

from __future__ import annotations

import pytest

from ...mail.changes import ChangeKind
from ...mail.columns import FetchItem
from ...mail.errors import NoSuchMailbox
from ...mail.flags import NO_FLAGS
from ...mail.uid_set import EMPTY, UIDSet
from ..backend import Backend, on_backend
from ..samples import DATE, body, filled_inbox, flags, message
from .counting import ADD, EVERYTHING, flags_by_uid, recounted
from .notices import Listener


class MovesContract:
    """IMove, but for what only a store can do by itself."""

    @on_backend
    async def test_a_move_takes_the_messages_away(self, backend: Backend) -> None:
        account = await backend.new_account(("Target", None))
        inbox = await filled_inbox(account, flags("\\Seen"), flags("keep"), flags("\\Flagged"))
        before = await inbox.status()
        outcome = await inbox.move(UIDSet.of([1, 3]), "Target")
        assert (list(outcome.source_uids), list(outcome.target_uids)) == ([1, 3], [1, 2])
        target = await account.mailbox("Target")
        assert await flags_by_uid(inbox) == {2: flags("keep")}
        assert await flags_by_uid(target) == {1: flags("\\Seen"), 2: flags("\\Flagged")}
        assert (await inbox.changes(before.highest_modseq)).vanished == UIDSet.of([1, 3])
        assert (await inbox.status()).uid_next == before.uid_next

    @on_backend
    async def test_a_mailbox_may_be_moved_into_itself(self, backend: Backend) -> None:
        inbox = await filled_inbox(await backend.new_account(), flags("a"), flags("b"))
        outcome = await inbox.move(UIDSet.of([1]), "INBOX")
        assert (list(outcome.source_uids), list(outcome.target_uids)) == ([1], [3])
        assert await flags_by_uid(inbox) == {2: flags("b"), 3: flags("a")}

    @on_backend
    async def test_changes_that_do_not_wait_for_each_other_all_happen(self, backend: Backend) -> None:
        account = await backend.new_account(("Target", None))
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

    @on_backend
    async def test_moving_nothing_or_to_nowhere_changes_nothing(self, backend: Backend) -> None:
        account = await backend.new_account(("Target", None))
        inbox = await filled_inbox(account, NO_FLAGS)
        target = await account.mailbox("Target")
        before = await inbox.status(), await target.status()
        for uids in (UIDSet.of([1]), UIDSet.of([5]), EMPTY):
            with pytest.raises(NoSuchMailbox):
                await inbox.move(uids, "Nowhere")
        outcome = await inbox.move(EMPTY, "Target")
        assert (list(outcome.source_uids), list(outcome.target_uids)) == ([], [])
        assert outcome.uid_validity == before[1].uid_validity
        assert (await inbox.status(), await target.status()) == before

    @on_backend
    async def test_counters_follow_a_move(self, backend: Backend) -> None:
        account = await backend.new_account(("Other", None))
        inbox = await filled_inbox(account, NO_FLAGS, flags("\\Seen"), flags("\\Deleted"), flags("x"))
        other = await account.mailbox("Other")
        for source, uids, target in ((inbox, [1, 3], "Other"), (inbox, [2], "INBOX"), (other, [1, 2], "INBOX")):
            await source.move(UIDSet.of(uids), target)
            for mailbox in (inbox, other):
                assert await mailbox.status() == await recounted(mailbox)

    @on_backend
    async def test_a_move_is_told_of_both_mailboxes(self, backend: Backend) -> None:
        account = await backend.new_account(("Other", None))
        inbox = await filled_inbox(account, NO_FLAGS)
        other = await account.mailbox("Other")
        listener = Listener()
        watch = backend.store.watch(account.name, listener)
        await inbox.move(EVERYTHING, "Other")
        await backend.until(lambda: {inbox.mailbox_id, other.mailbox_id} <= listener.mailbox_ids)
        watch.cancel()
        assert ChangeKind.MESSAGES in listener.kinds


class OwnMovesContract:
    """What a move is where the store does it: one commit, and the same entry in another place."""

    @on_backend
    async def test_a_move_keeps_the_guid_and_is_one_change(self, backend: Backend) -> None:
        account = await backend.new_account(("Target", None))
        inbox = await filled_inbox(account, NO_FLAGS, NO_FLAGS)
        guids = list((await inbox.fetch(EVERYTHING, FetchItem.GUID)).guids or ())
        await inbox.move(EVERYTHING, "Target")
        target = await account.mailbox("Target")
        assert list((await target.fetch(EVERYTHING, FetchItem.GUID)).guids or ()) == guids
        assert (await target.status()).highest_modseq == (await inbox.status()).highest_modseq
