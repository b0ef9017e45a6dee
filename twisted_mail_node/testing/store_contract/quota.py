"""How much an account may hold: counted with every change, heeded by every way in. RFC 9208 §5"""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from zope.interface.verify import verifyObject

from ...interfaces.store import IACL, IAccount, IQuota, IRestorableMailbox
from ...mail.errors import NoSuchAccount, Refused
from ...mail.flags import NO_FLAGS, FlagChange, Flags
from ...mail.quota import OverQuota, Quota, QuotaLimits
from ...mail.restoring import RestoredMessage
from ...mail.rights import ALL_RIGHTS
from ...mail.uid_set import UIDSet
from ..backend import Backend, on_backend
from ..samples import DATE, body, filled_inbox, flags, message, place, transaction, unique
from .steps import NAMES, Step, take, two_mailboxes, walk_settings, walks

SIZE = len(message())
ALL = UIDSet.span(1, 2**32 - 1)


def quota_of(backend: Backend) -> IQuota:
    """The door, which a store provides itself."""
    store = backend.store
    assert verifyObject(IQuota, store)
    return IQuota(store)


async def counted(account: IAccount) -> tuple[int, int]:
    """Octets and messages of the account, counted one by one."""
    octets = messages = 0
    for info in await account.mailboxes():
        status = await (await account.mailbox(info.name)).status()
        octets += status.size
        messages += status.messages
    return octets, messages


class QuotaContract:
    """IQuota."""

    @on_backend
    async def test_an_account_has_the_limits_of_all_until_it_has_its_own(self, backend: Backend) -> None:
        account, door = await backend.new_account(), quota_of(backend)
        before = await door.quota(account.name)
        assert before == Quota(0, 0, before.limits, is_own=False)
        await door.set_quota(account.name, QuotaLimits(1000, None))
        assert await door.quota(account.name) == Quota(0, 0, QuotaLimits(1000, None), is_own=True)
        await door.set_quota(account.name, QuotaLimits())
        assert await door.quota(account.name) == Quota(0, 0, QuotaLimits(), is_own=True)
        await door.set_quota(account.name, None)
        assert await door.quota(account.name) == before

    @on_backend
    async def test_what_is_over_is_refused_whichever_way_it_comes(self, backend: Backend) -> None:
        account, door = await backend.new_account(("Other", None)), quota_of(backend)
        inbox = await filled_inbox(account, NO_FLAGS, NO_FLAGS)
        await door.set_quota(account.name, QuotaLimits(None, 3))
        with pytest.raises(OverQuota):
            await inbox.append([(body(), NO_FLAGS, DATE)] * 2)
        with pytest.raises(OverQuota):
            await inbox.copy(ALL, "Other")
        with pytest.raises(Refused) as caught:
            await backend.store.deliver(transaction(place(account.name), place(account.name)))
        ((position, (status, _)),) = caught.value.refusals.items()
        assert (position, status.subject, status.detail) == (1, 2, 2)
        messages = [RestoredMessage(body(), NO_FLAGS, DATE, unique("").rjust(32, "0")) for _ in range(2)]
        with pytest.raises(OverQuota):
            await IRestorableMailbox(inbox).restore(messages)
        assert (await inbox.status()).messages == 2
        assert (await door.quota(account.name)).messages == 2
        await inbox.append([(body(), NO_FLAGS, DATE)])
        await inbox.move(ALL, "Other")
        assert (await door.quota(account.name)).messages == 3

    @on_backend
    async def test_octets_are_counted_as_mailboxes_show_them(self, backend: Backend) -> None:
        account, door = await backend.new_account(), quota_of(backend)
        prefix = b"Delivered-To: x\r\n"
        await door.set_quota(account.name, QuotaLimits(SIZE + len(prefix), None))
        await backend.store.deliver(transaction(place(account.name, prefix=prefix)))
        assert (await door.quota(account.name)).octets == SIZE + len(prefix)
        inbox = await account.mailbox("INBOX")
        with pytest.raises(OverQuota):
            await inbox.append([(body(b"\r\n"), NO_FLAGS, DATE)])
        await inbox.append([])
        await inbox.expunge(ALL, only_deleted=False)
        await inbox.append([(body(), NO_FLAGS, DATE)])

    @on_backend
    async def test_one_recipient_that_is_full_keeps_nothing_from_another(self, backend: Backend) -> None:
        full, other, door = await backend.new_account(), await backend.new_account(), quota_of(backend)
        await door.set_quota(full.name, QuotaLimits(0, None))
        parts = (place(full.name), place(other.name))
        with pytest.raises(Refused) as caught:
            await backend.store.deliver(transaction(*parts))
        assert set(caught.value.refusals) == {0}
        await backend.store.deliver(transaction(parts[1]))
        assert (await counted(full), await counted(other)) == ((0, 0), (SIZE, 1))

    @on_backend
    async def test_who_is_full_is_told_with_who_is_not_there(self, backend: Backend) -> None:
        full, other, door = await backend.new_account(), await backend.new_account(), quota_of(backend)
        await door.set_quota(full.name, QuotaLimits(0, None))
        parts = (place(unique("nobody-") + "@example.test"), place(other.name), place(full.name))
        with pytest.raises(Refused) as caught:
            await backend.store.deliver(transaction(*parts))
        told = {position: status.subject for position, (status, _) in caught.value.refusals.items()}
        assert told == {0: 1, 2: 2}

    @on_backend
    async def test_what_goes_makes_room(self, backend: Backend) -> None:
        account, door = await backend.new_account(("Other", None)), quota_of(backend)
        other = await account.mailbox("Other")
        await other.append([(body(), flags("\\Deleted"), DATE), (body(), NO_FLAGS, DATE)])
        await door.set_quota(account.name, QuotaLimits(None, 2))
        await other.expunge()
        await other.append([(body(), NO_FLAGS, DATE)])
        await account.delete("Other")
        assert await door.quota(account.name) == Quota(0, 0, QuotaLimits(None, 2), is_own=True)
        await filled_inbox(account, NO_FLAGS, NO_FLAGS)
        await account.rename("INBOX", "Before")
        assert (await door.quota(account.name)).messages == 2
        await door.set_quota(account.name, QuotaLimits(None, 1))
        assert not (await door.quota(account.name)).has_room()
        await (await account.mailbox("Before")).store_flags(ALL, *_marked())

    @on_backend
    async def test_what_comes_from_another_account_is_new_copied_or_moved(self, backend: Backend) -> None:
        giver, full, door = await backend.new_account(), await backend.new_account(), quota_of(backend)
        source = (giver.name, (await filled_inbox(giver, NO_FLAGS, NO_FLAGS)).mailbox_id)
        target = (full.name, (await full.mailbox("INBOX")).mailbox_id)
        await door.set_quota(full.name, QuotaLimits(None, 1))
        sharing = IACL(backend.store)
        for move in (False, True):
            with pytest.raises(OverQuota):
                await sharing.copy_between(source, ALL, target, ALL_RIGHTS, move)
        await sharing.copy_between(source, UIDSet.of([1]), target, ALL_RIGHTS, True)
        for account in (giver, full):
            quota = await door.quota(account.name)
            assert (quota.octets, quota.messages) == await counted(account)
            assert quota.messages == 1
        await door.set_quota(giver.name, QuotaLimits(None, 1))
        with pytest.raises(OverQuota):
            await sharing.copy_between(source, ALL, source, ALL_RIGHTS, False)

    @on_backend
    async def test_counters_and_limits_survive_a_restart(self, backend: Backend) -> None:
        account = await backend.new_account()
        await filled_inbox(account, NO_FLAGS, NO_FLAGS)
        await quota_of(backend).set_quota(account.name, QuotaLimits(2**40, 7))
        before = await quota_of(backend).quota(account.name)
        assert before.messages == 2
        await backend.restart()
        assert await quota_of(backend).quota(account.name) == before

    @on_backend
    async def test_all_accounts_are_told_in_pages(self, backend: Backend) -> None:
        names = sorted([(await backend.new_account()).name for _ in range(3)])
        door, told, after = quota_of(backend), dict[str, Quota](), ""
        while page := await door.quotas(after, 2):
            assert len(page) <= 2
            told.update(page)
            after = page[-1][0]
        assert list(told) == sorted(await backend.store.accounts())
        assert set(names) <= set(told)

    @on_backend
    async def test_there_is_no_quota_of_an_account_that_is_not_there(self, backend: Backend) -> None:
        door, nobody = quota_of(backend), unique("nobody-") + "@example.test"
        with pytest.raises(NoSuchAccount):
            await door.quota(nobody)
        with pytest.raises(NoSuchAccount):
            await door.set_quota(nobody, None)

    def test_the_counters_are_right_after_any_walk(self, backend: Backend) -> None:
        @settings(walk_settings, max_examples=12)
        @given(walks, st.integers(0, 30))
        def holds(steps: list[Step], most: int) -> None:
            backend.run(_walk(backend, steps, most))

        holds()


def _marked() -> tuple[FlagChange, Flags]:
    return FlagChange.ADD, flags("\\Deleted")


async def _walk(backend: Backend, steps: list[Step], most: int) -> None:
    account, door = await backend.new_account(), quota_of(backend)
    mailboxes = await two_mailboxes(account)
    await door.set_quota(account.name, QuotaLimits(None, most))
    held = await counted(account)
    for step in steps:
        modseq = (await mailboxes[NAMES[step.mailbox]].status()).highest_modseq
        try:
            await take(step, backend.store, account.name, mailboxes, [modseq])
        except (OverQuota, Refused):
            assert await counted(account) == held
        before, held = held, await counted(account)
        told = await door.quota(account.name)
        assert (told.octets, told.messages) == held
        assert told.messages <= max(most, before[1])
