"""The change log: who asks for what happened since a number learns exactly that."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import given

from ...interfaces.store import IMailbox
from ...mail.changes import MailboxChanges
from ...mail.columns import FetchItem
from ...mail.flags import NO_FLAGS, FlagChange, Flags
from ...mail.uid_set import EMPTY, UIDSet
from ..backend import Backend, on_backend
from ..samples import filled_inbox, flags, place, transaction
from .counting import recounted
from .steps import NAMES, Step, take, two_mailboxes, walk_settings, walks

ADD = FlagChange.ADD


@dataclass
class View:
    """What somebody knows of a mailbox who was told nothing but its changes."""

    modseq: int = 0
    uid_next: int = 1
    messages: dict[int, tuple[Flags, int]] = field(default_factory=dict)

    def apply(self, changes: MailboxChanges) -> None:
        """Take the changes in; fails where they do not fit what is known."""
        assert changes.exists
        known = set(self.messages)
        appended, flagged = _rows(changes, "appended"), _rows(changes, "flagged")
        assert known.isdisjoint(appended), "told as new, though known"
        assert min(appended, default=self.uid_next) >= self.uid_next, "a new message below the next UID"
        assert known.issuperset(flagged), "told as changed, though unknown"
        assert known.issuperset(changes.vanished), "told as vanished, though unknown"
        assert set(flagged).isdisjoint(changes.vanished)
        for modseq in (modseq for rows in (appended, flagged) for _, modseq in rows.values()):
            assert self.modseq < modseq <= changes.modseq
        assert all(modseq > self.messages[uid][1] for uid, (_, modseq) in flagged.items()), "told without a change"
        self.messages |= appended | flagged
        for uid in changes.vanished:
            del self.messages[uid]
        self.modseq, self.uid_next = changes.modseq, changes.uid_next

    def copy(self) -> View:
        """The view as it is now."""
        return View(self.modseq, self.uid_next, dict(self.messages))


def _rows(changes: MailboxChanges, which: str) -> dict[int, tuple[Flags, int]]:
    columns = changes.appended if which == "appended" else changes.flagged
    assert columns.flags is not None
    assert columns.modseqs is not None
    assert list(columns.uids) == sorted(columns.uids)
    return {uid: (each, modseq) for uid, each, modseq in zip(columns.uids, columns.flags, columns.modseqs, strict=True)}


async def looked_up(mailbox: IMailbox) -> View:
    """A view made by reading the whole mailbox."""
    status = await mailbox.status()
    columns = await mailbox.fetch(await mailbox.uids(), FetchItem.FLAGS | FetchItem.MODSEQ)
    rows = zip(columns.uids, columns.flags or (), columns.modseqs or (), strict=True)
    return View(status.highest_modseq, status.uid_next, {uid: (each, modseq) for uid, each, modseq in rows})


class ChangesContract:
    """IMailbox.changes."""

    @on_backend
    async def test_nothing_happened_since_now(self, backend: Backend) -> None:
        inbox = await filled_inbox(await backend.new_account(), NO_FLAGS)
        status = await inbox.status()
        changes = await inbox.changes(status.highest_modseq)
        assert (len(changes.appended), len(changes.flagged), changes.vanished) == (0, 0, EMPTY)
        assert (changes.modseq, changes.uid_next, changes.exists) == (status.highest_modseq, status.uid_next, True)

    @on_backend
    async def test_since_the_beginning_everything_is_new(self, backend: Backend) -> None:
        inbox = await filled_inbox(await backend.new_account(), flags("\\Seen"), NO_FLAGS, flags("x"))
        await inbox.store_flags(UIDSet.of([2]), ADD, flags("\\Flagged"))
        await inbox.expunge(UIDSet.of([1]), only_deleted=False)
        changes = await inbox.changes(0)
        assert list(changes.appended.uids) == [2, 3]
        assert list(changes.appended.flags or ()) == [flags("\\Flagged"), flags("x")]
        assert (len(changes.flagged), changes.vanished) == (0, EMPTY)

    @on_backend
    async def test_what_came_changed_and_went_is_told_apart(self, backend: Backend) -> None:
        account = await backend.new_account()
        inbox = await filled_inbox(account, NO_FLAGS, NO_FLAGS, NO_FLAGS)
        since = (await inbox.status()).highest_modseq
        await filled_inbox(account, NO_FLAGS, flags("\\Seen"))
        await inbox.store_flags(UIDSet.of([2, 3, 4]), ADD, flags("work"))
        await inbox.expunge(UIDSet.of([1, 3, 5]), only_deleted=False)
        changes = await inbox.changes(since)
        assert (list(changes.appended.uids), list(changes.appended.flags or ())) == ([4], [flags("work")])
        assert (list(changes.flagged.uids), list(changes.flagged.flags or ())) == ([2], [flags("work")])
        assert changes.vanished == UIDSet.of([1, 3])
        assert changes.uid_next == 6

    @on_backend
    async def test_a_change_of_an_old_message_is_told_though_newer_ones_rest(self, backend: Backend) -> None:
        inbox = await filled_inbox(await backend.new_account(), *[NO_FLAGS] * 4)
        for number, name in ((2, "\\Seen"), (1, "\\Flagged"), (2, "work")):
            since = (await inbox.status()).highest_modseq
            await inbox.store_flags(UIDSet.of([number]), ADD, flags(name))
            changes = await inbox.changes(since)
            assert list(changes.flagged.uids) == [number]
            assert (len(changes.appended), changes.vanished) == (0, EMPTY)

    @on_backend
    async def test_a_change_in_one_mailbox_is_none_in_another(self, backend: Backend) -> None:
        account = await backend.new_account(("Other", None))
        inbox = await filled_inbox(account, NO_FLAGS)
        other = await account.mailbox("Other")
        before = await other.status()
        await inbox.store_flags(UIDSet.of([1]), ADD, flags("\\Seen"))
        await account.create("Third")
        assert await other.status() == before
        assert len((await other.changes(0)).appended) == 0

    @on_backend
    async def test_one_counter_numbers_all_changes_of_an_account(self, backend: Backend) -> None:
        account = await backend.new_account(("Other", None))
        inbox, other = await account.mailbox("INBOX"), await account.mailbox("Other")
        last = max((await inbox.status()).highest_modseq, (await other.status()).highest_modseq)
        for _ in range(3):
            for mailbox, name in ((inbox, "INBOX"), (other, "Other")):
                await backend.store.deliver(transaction(place(account.name, name)))
                now = (await mailbox.status()).highest_modseq
                assert now > last
                last = now

    @on_backend
    async def test_the_history_of_expunged_messages_is_kept(self, backend: Backend) -> None:
        inbox = await filled_inbox(await backend.new_account(), *[NO_FLAGS] * 5)
        since = (await inbox.status()).highest_modseq
        await inbox.expunge(UIDSet.of([2, 3]), only_deleted=False)
        between = (await inbox.status()).highest_modseq
        backend.advance(7 * 24 * 3600)
        await inbox.expunge(UIDSet.of([5]), only_deleted=False)
        assert (await inbox.changes(since)).vanished == UIDSet.of([2, 3, 5])
        assert (await inbox.changes(between)).vanished == UIDSet.of([5])

    @on_backend
    async def test_who_was_away_for_longer_than_the_history_learns_of_all_that_went(self, backend: Backend) -> None:
        inbox = await filled_inbox(await backend.new_account(), *[NO_FLAGS] * 9)
        since = (await inbox.status()).highest_modseq
        for number in (2, 8, 5):
            await inbox.expunge(UIDSet.of([number]), only_deleted=False)
            backend.advance(400 * 24 * 3600)
        latest = (await inbox.status()).highest_modseq
        await inbox.expunge(UIDSet.of([9]), only_deleted=False)
        vanished = (await inbox.changes(since)).vanished
        assert UIDSet.of([2, 5, 8, 9]) - vanished == EMPTY
        assert vanished & await inbox.uids() == EMPTY
        assert (await inbox.changes(latest)).vanished == UIDSet.of([9])

    @on_backend
    async def test_a_mailbox_that_never_changed_has_a_modseq(self, backend: Backend) -> None:
        account = await backend.new_account(("Other", None))
        await account.create("Third")
        for name in ("INBOX", "Other", "Third"):
            assert (await (await account.mailbox(name)).status()).highest_modseq > 0

    @on_backend
    async def test_changes_of_a_deleted_mailbox_say_so(self, backend: Backend) -> None:
        account = await backend.new_account(("Other", None))
        other = await account.mailbox("Other")
        await account.delete("Other")
        changes = await other.changes(0)
        assert not changes.exists
        assert (len(changes.appended), len(changes.flagged), changes.vanished) == (0, 0, EMPTY)

    def test_a_view_kept_by_changes_alone_is_always_right(self, backend: Backend) -> None:
        @walk_settings
        @given(walk=walks)
        def follow(walk: list[Step]) -> None:
            backend.run(self._follow(backend, walk))

        follow()

    async def _follow(self, backend: Backend, walk: list[Step]) -> None:
        account = await backend.new_account()
        mailboxes = await two_mailboxes(account)
        views = {name: [View()] for name in NAMES}
        for step in walk:
            moments = [view.modseq for view in views[NAMES[step.mailbox]]]
            await take(step, backend.store, account.name, mailboxes, moments)
            for name, mailbox in mailboxes.items():
                now = await looked_up(mailbox)
                views[name].append(views[name][-1].copy())
                views[name][-1].apply(await mailbox.changes(views[name][-1].modseq))
                assert views[name][-1] == now
                assert await mailbox.status() == await recounted(mailbox)
        # Whoever comes back after any absence learns the same.
        for name, mailbox in mailboxes.items():
            now = await looked_up(mailbox)
            for view in views[name]:
                view.apply(await mailbox.changes(view.modseq))
                assert view == now

    def test_a_view_is_right_though_nobody_waits_for_the_changes(self, backend: Backend) -> None:
        @walk_settings
        @given(walk=walks)
        def follow(walk: list[Step]) -> None:
            backend.run(self._follow_from_afar(backend, walk))

        follow()

    async def _follow_from_afar(self, backend: Backend, walk: list[Step]) -> None:
        account = await backend.new_account()
        mailboxes = await two_mailboxes(account)
        begun = [take(step, backend.store, account.name, mailboxes, [0]) for step in walk]
        views = {name: View() for name in NAMES}
        for deferred in begun:
            for name, mailbox in mailboxes.items():
                views[name].apply(await mailbox.changes(views[name].modseq))
            await deferred
        for name, mailbox in mailboxes.items():
            views[name].apply(await mailbox.changes(views[name].modseq))
            assert views[name] == await looked_up(mailbox)
            assert await mailbox.status() == await recounted(mailbox)
