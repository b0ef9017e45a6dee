"""The contract of IMaildropLock. Inherit `LockContract` and supply the fixture `backend` (see `testing.backend`)."""

from __future__ import annotations

import pytest
from twisted.internet.defer import DeferredList
from zope.interface.verify import verifyObject

from ..interfaces.store import IMaildropLock
from ..mail.errors import InUse
from .backend import Backend, on_backend


class LockContract:
    """IMaildropLock."""

    @on_backend
    async def test_one_holder_has_the_maildrop_until_it_gives_it_back(self, backend: Backend) -> None:
        locks, account = backend.locks, (await backend.new_account()).name
        assert verifyObject(IMaildropLock, locks)
        await locks.acquire(account, "one", 60.0)
        with pytest.raises(InUse):
            await locks.acquire(account, "two", 60.0)
        await locks.release(account, "one")
        await locks.acquire(account, "two", 60.0)
        with pytest.raises(InUse):
            await locks.acquire(account, "one", 60.0)

    @on_backend
    async def test_the_holder_renews_by_taking_it_again(self, backend: Backend) -> None:
        locks, account = backend.locks, (await backend.new_account()).name
        for _ in range(4):
            await locks.acquire(account, "one", 60.0)
            backend.advance(45)
            with pytest.raises(InUse):
                await locks.acquire(account, "two", 60.0)

    @on_backend
    async def test_a_lock_ends_by_itself(self, backend: Backend) -> None:
        locks, account = backend.locks, (await backend.new_account()).name
        await locks.acquire(account, "one", 60.0)
        backend.advance(59)
        with pytest.raises(InUse):
            await locks.acquire(account, "two", 60.0)
        backend.advance(2)
        await locks.acquire(account, "two", 60.0)

    @on_backend
    async def test_who_has_lost_the_lock_neither_takes_nor_gives_it(self, backend: Backend) -> None:
        locks, account = backend.locks, (await backend.new_account()).name
        await locks.acquire(account, "one", 60.0)
        backend.advance(61)
        await locks.acquire(account, "two", 60.0)
        await locks.release(account, "one")
        with pytest.raises(InUse):
            await locks.acquire(account, "one", 60.0)
        with pytest.raises(InUse):
            await locks.acquire(account, "three", 60.0)

    @on_backend
    async def test_giving_back_what_nobody_has_does_nothing(self, backend: Backend) -> None:
        locks, account = backend.locks, (await backend.new_account()).name
        await locks.release(account, "one")
        await locks.acquire(account, "one", 60.0)
        await locks.release(account, "one")
        await locks.release(account, "one")
        await locks.acquire(account, "two", 60.0)

    @on_backend
    async def test_accounts_are_locked_apart(self, backend: Backend) -> None:
        locks = backend.locks
        account, other = (await backend.new_account()).name, (await backend.new_account()).name
        await locks.acquire(account, "one", 60.0)
        await locks.acquire(other, "two", 60.0)
        await locks.release(other, "two")
        with pytest.raises(InUse):
            await locks.acquire(account, "two", 60.0)

    @on_backend
    async def test_of_many_who_ask_at_once_one_gets_it(self, backend: Backend) -> None:
        locks, account = backend.locks, (await backend.new_account()).name
        asked = [locks.acquire(account, f"holder-{number}", 60.0) for number in range(10)]
        results = await DeferredList(asked, consumeErrors=True)
        assert sum(success for success, _ in results) == 1

    @on_backend
    async def test_a_removed_accounts_lock_goes_with_it(self, backend: Backend) -> None:
        locks, account = backend.locks, (await backend.new_account()).name
        await locks.acquire(account, "one", 3600.0)
        await backend.store.remove_account(account)
        await backend.store.create_account(account)
        await locks.acquire(account, "two", 60.0)
