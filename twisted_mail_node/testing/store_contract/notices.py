"""Change notices: told after the commit, in a turn of their own, until cancelled."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from zope.interface.verify import verifyObject

from ...interfaces.store import IWatch
from ...mail.changes import ChangeKind, ChangeNotice, StoreOutcome
from ...mail.flags import NO_FLAGS, FlagChange
from ...mail.uid_set import UIDSet
from ..backend import Backend, on_backend
from ..samples import DATE, body, filled_inbox, flags, place, transaction


class Listener:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.notices: list[ChangeNotice] = []

    def __call__(self, notice: ChangeNotice) -> None:
        self.notices.append(notice)

    @property
    def modseq(self) -> int:
        """The greatest number told."""
        return max((notice.modseq for notice in self.notices), default=0)

    @property
    def kinds(self) -> ChangeKind:
        """All kinds told."""
        kinds = ChangeKind(0)
        for notice in self.notices:
            kinds |= notice.kinds
        return kinds

    @property
    def mailbox_ids(self) -> set[int]:
        """All mailboxes told."""
        return {mailbox_id for notice in self.notices for mailbox_id in notice.mailbox_ids}


class NoticesContract:
    """IMailStore.watch."""

    @on_backend
    async def test_every_kind_of_change_to_messages_is_told(self, backend: Backend) -> None:
        account = await backend.new_account(("Other", None))
        inbox = await filled_inbox(account, NO_FLAGS, NO_FLAGS, NO_FLAGS)
        other = await account.mailbox("Other")
        one = UIDSet.of([1])
        for change, touched in (
            (lambda: backend.store.deliver(transaction(place(account.name))), {inbox.mailbox_id}),
            (lambda: inbox.append([(body(), NO_FLAGS, DATE)]), {inbox.mailbox_id}),
            (lambda: inbox.store_flags(one, FlagChange.ADD, flags("\\Seen")), {inbox.mailbox_id}),
            (lambda: inbox.copy(one, "Other"), {other.mailbox_id}),
            (lambda: inbox.expunge(UIDSet.of([2]), only_deleted=False), {inbox.mailbox_id}),
        ):
            listener = Listener()
            watch = backend.store.watch(account.name, listener)
            assert verifyObject(IWatch, watch)
            await change()
            highest = max((await inbox.status()).highest_modseq, (await other.status()).highest_modseq)
            await backend.until(lambda listener=listener, highest=highest: listener.modseq >= highest)  # type: ignore[misc]
            watch.cancel()
            assert all(notice.account == account.name for notice in listener.notices)
            assert ChangeKind.MESSAGES in listener.kinds
            assert touched <= listener.mailbox_ids

    @on_backend
    async def test_changes_to_mailboxes_and_subscriptions_are_told(self, backend: Backend) -> None:
        account = await backend.new_account()
        for change, kind in (
            (lambda: account.create("a"), ChangeKind.MAILBOXES),
            (lambda: account.rename("a", "b"), ChangeKind.MAILBOXES),
            (lambda: account.subscribe("b", True), ChangeKind.SUBSCRIPTIONS),
            (lambda: account.subscribe("b", False), ChangeKind.SUBSCRIPTIONS),
            (lambda: account.delete("b"), ChangeKind.MAILBOXES),
        ):
            listener = Listener()
            watch = backend.store.watch(account.name, listener)
            await change()
            await backend.until(lambda listener=listener, kind=kind: kind in listener.kinds)  # type: ignore[misc]
            watch.cancel()

    @on_backend
    async def test_changes_that_are_told_together_lose_nothing(self, backend: Backend) -> None:
        account = await backend.new_account(("Other", None))
        inbox, other = await account.mailbox("INBOX"), await account.mailbox("Other")
        listener = Listener()
        watch = backend.store.watch(account.name, listener)
        waiting: list[Deferred[Any]] = [  # Any: each fires with its own outcome
            inbox.append([(body(), NO_FLAGS, DATE)]),
            account.create("Third"),
            other.append([(body(), NO_FLAGS, DATE)]),
            account.subscribe("Third", True),
        ]
        for deferred in waiting:
            await deferred
        everything = ChangeKind.MESSAGES | ChangeKind.MAILBOXES | ChangeKind.SUBSCRIPTIONS
        both = {inbox.mailbox_id, other.mailbox_id}
        await backend.until(lambda: everything in listener.kinds and both <= listener.mailbox_ids)
        watch.cancel()

    @on_backend
    async def test_a_notice_comes_after_the_commit(self, backend: Backend) -> None:
        account = await backend.new_account()
        inbox = await account.mailbox("INBOX")
        seen: list[int] = []
        asked = []

        def listener(notice: ChangeNotice) -> None:
            asked.append(inbox.changes(0).addCallback(lambda changes: seen.extend(changes.appended.uids)))

        watch = backend.store.watch(account.name, listener)
        await backend.store.deliver(transaction(place(account.name)))
        await backend.until(lambda: 1 in seen)
        watch.cancel()
        for deferred in asked:
            await deferred

    @on_backend
    async def test_a_notice_is_never_told_within_the_call_that_makes_the_change(self, backend: Backend) -> None:
        account = await backend.new_account()
        listener = Listener()
        watch = backend.store.watch(account.name, listener)
        delivered = backend.store.deliver(transaction(place(account.name)))
        assert listener.notices == []
        await delivered
        await backend.until(lambda: bool(listener.notices))
        watch.cancel()

    @on_backend
    async def test_other_accounts_changes_are_not_told(self, backend: Backend) -> None:
        account, other = await backend.new_account(), await backend.new_account()
        listener, others = Listener(), Listener()
        watches = [backend.store.watch(account.name, listener), backend.store.watch(other.name, others)]
        await backend.store.deliver(transaction(place(other.name)))
        await backend.until(lambda: bool(others.notices))
        await backend.store.deliver(transaction(place(account.name)))
        await backend.until(lambda: bool(listener.notices))
        for watch in watches:
            watch.cancel()
        assert {notice.account for notice in listener.notices} == {account.name}
        assert {notice.account for notice in others.notices} == {other.name}

    @on_backend
    async def test_nothing_is_told_after_cancel(self, backend: Backend) -> None:
        account = await backend.new_account()
        cancelled, later, other = Listener(), Listener(), Listener()
        watch = backend.store.watch(account.name, cancelled)
        cancelled_after_the_commit = backend.store.watch(account.name, later)
        other_watch = backend.store.watch(account.name, other)
        watch.cancel()
        watch.cancel()
        await backend.store.deliver(transaction(place(account.name)))
        cancelled_after_the_commit.cancel()
        told = len(later.notices)
        await backend.until(lambda: bool(other.notices))
        await backend.store.deliver(transaction(place(account.name)))
        highest = (await (await account.mailbox("INBOX")).status()).highest_modseq
        await backend.until(lambda: other.modseq >= highest)
        other_watch.cancel()
        assert cancelled.notices == []
        assert len(later.notices) == told

    @on_backend
    async def test_a_listener_may_cancel_itself_and_others_while_it_is_told(self, backend: Backend) -> None:
        account = await backend.new_account()
        order: list[str] = []

        def first(notice: ChangeNotice) -> None:
            order.append("first")
            first_watch.cancel()
            second_watch.cancel()

        last = Listener()
        first_watch = backend.store.watch(account.name, first)
        second_watch = backend.store.watch(account.name, lambda notice: order.append("second"))
        last_watch = backend.store.watch(account.name, last)
        for _ in range(2):
            before = len(last.notices)
            await backend.store.deliver(transaction(place(account.name)))
            await backend.until(lambda before=before: len(last.notices) > before)  # type: ignore[misc]
        last_watch.cancel()
        assert order.count("first") == 1
        assert order.count("second") <= 1
        assert "second" not in order[order.index("first") :]

    @on_backend
    async def test_a_listener_may_change_the_account_itself(self, backend: Backend) -> None:
        account = await backend.new_account()
        inbox = await account.mailbox("INBOX")
        begun: list[Deferred[StoreOutcome]] = []

        def file_away(notice: ChangeNotice) -> None:
            if not begun:
                begun.append(inbox.store_flags(UIDSet.of([1]), FlagChange.ADD, flags("filed")))

        listener = Listener()
        watches = [backend.store.watch(account.name, file_away), backend.store.watch(account.name, listener)]
        await backend.store.deliver(transaction(place(account.name)))
        await backend.until(lambda: bool(begun))
        (changed,) = (await begun[0]).changed.modseqs or ()
        await backend.until(lambda: listener.modseq >= changed)
        for watch in watches:
            watch.cancel()

    @on_backend
    async def test_two_listeners_may_be_the_same_function(self, backend: Backend) -> None:
        account = await backend.new_account()
        listener = Listener()
        one, two = backend.store.watch(account.name, listener), backend.store.watch(account.name, listener)
        one.cancel()
        await backend.store.deliver(transaction(place(account.name)))
        await backend.until(lambda: bool(listener.notices))
        two.cancel()

    @on_backend
    async def test_what_changes_nothing_is_not_a_change(self, backend: Backend) -> None:
        account = await backend.new_account()
        inbox = await filled_inbox(account, flags("\\Seen"))
        first = (await inbox.status()).highest_modseq
        await inbox.store_flags(UIDSet.of([1]), FlagChange.ADD, flags("\\Seen"))
        await inbox.expunge()
        await account.subscribe("never", False)
        assert (await inbox.status()).highest_modseq == first
