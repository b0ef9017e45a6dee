"""The contract of IDirectory. Inherit `DirectoryContract` and supply the fixture `backend` (see `testing.backend`)."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from twisted.internet.defer import CancelledError, Deferred, DeferredList
from zope.interface.verify import verifyObject

from ..interfaces.store import IDirectory
from ..mail.address import Address
from ..mail.errors import AccountExists, MailError, NoSuchAccount
from .backend import Backend, on_backend
from .samples import filled_inbox, flags, unique


def new_name() -> str:
    """An address that nobody else uses."""
    return unique("user-") + "@example.test"


def addresses(*texts: str) -> list[Address]:
    """Addresses by their text."""
    return [Address.parse(text) for text in texts]


class DirectoryContract:
    """IDirectory."""

    @on_backend
    async def test_a_user_comes_with_an_account(self, backend: Backend) -> None:
        directory, name = backend.directory, new_name()
        assert verifyObject(IDirectory, directory)
        await directory.add_user(name, "$hash$one", [("Sent", "\\Sent")])
        assert await directory.password_hash(name) == "$hash$one"
        assert name in await directory.users()
        account = await backend.store.account(name)
        assert [info.name for info in await account.mailboxes()] == ["INBOX", "Sent"]
        assert list(await account.subscriptions()) == ["INBOX", "Sent"]

    @on_backend
    async def test_a_change_whose_answer_is_given_up_counts_all_the_same(self, backend: Backend) -> None:
        directory, name, source = backend.directory, new_name(), new_name()
        await directory.add_user(name, "old")
        changes: list[Callable[[], Deferred[None]]] = [
            lambda: directory.set_password_hash(name, "new"),
            lambda: directory.set_alias(source, addresses("ann@example.test")),
            lambda: directory.remove_user(name),
        ]
        for change in changes:
            before = directory.version
            given_up = change()
            given_up.addErrback(lambda failure: failure.trap(CancelledError))
            given_up.cancel()
            await directory.set_alias(new_name(), addresses("bob@example.test"))
            assert directory.version >= before + 2
        assert await directory.password_hash(name) is None
        assert list(await directory.alias(source)) == addresses("ann@example.test")

    @on_backend
    async def test_users_are_listed_sorted(self, backend: Backend) -> None:
        names = [f"{prefix}{new_name()}" for prefix in "zam"]
        for name in names:
            await backend.directory.add_user(name, "hash")
        listed = list(await backend.directory.users())
        assert set(names) <= set(listed)
        assert listed == sorted(listed)

    @on_backend
    async def test_a_user_is_made_once(self, backend: Backend) -> None:
        directory, name, account = backend.directory, new_name(), new_name()
        await directory.add_user(name, "first")
        await backend.store.create_account(account)
        for taken in (name, account):
            with pytest.raises(AccountExists):
                await directory.add_user(taken, "second")
        assert await directory.password_hash(name) == "first"
        assert await directory.password_hash(account) is None

    @on_backend
    async def test_a_user_whose_mailboxes_cannot_be_is_not_made(self, backend: Backend) -> None:
        directory, name = backend.directory, new_name()
        with pytest.raises(MailError):
            await directory.add_user(name, "hash", [("bad//name", None)])
        assert await directory.password_hash(name) is None
        with pytest.raises(NoSuchAccount):
            await backend.store.account(name)
        await directory.add_user(name, "hash")

    @on_backend
    async def test_a_removed_user_is_gone_with_all_mail(self, backend: Backend) -> None:
        directory, name = backend.directory, new_name()
        await directory.add_user(name, "hash")
        await filled_inbox(await backend.store.account(name), flags())
        await directory.remove_user(name)
        assert await directory.password_hash(name) is None
        assert name not in await directory.users()
        assert name not in await backend.store.accounts()
        await directory.add_user(name, "new")
        inbox = await (await backend.store.account(name)).mailbox("INBOX")
        assert (await inbox.status()).messages == 0

    @on_backend
    async def test_who_is_not_there_has_no_password_and_gets_none(self, backend: Backend) -> None:
        directory, name = backend.directory, new_name()
        assert await directory.password_hash(name) is None
        with pytest.raises(NoSuchAccount):
            await directory.set_password_hash(name, "hash")
        with pytest.raises(NoSuchAccount):
            await directory.remove_user(name)
        assert await directory.password_hash(name) is None

    @on_backend
    async def test_a_password_is_replaced(self, backend: Backend) -> None:
        directory, name, other = backend.directory, new_name(), new_name()
        await directory.add_user(name, "old")
        await directory.add_user(other, "other")
        await directory.set_password_hash(name, "new")
        assert await directory.password_hash(name) == "new"
        assert await directory.password_hash(other) == "other"

    @on_backend
    async def test_an_alias_leads_to_its_targets_in_order(self, backend: Backend) -> None:
        directory, source = backend.directory, new_name()
        targets = addresses("zoe@example.test", "Ann.Lee@elsewhere.test", "bob@example.test", "jörg@例え.test")
        assert list(await directory.alias(source)) == []
        await directory.set_alias(source, targets)
        assert list(await directory.alias(source)) == targets
        await directory.set_alias(source, targets[:1])
        assert list(await directory.alias(source)) == targets[:1]

    @on_backend
    async def test_an_alias_without_targets_is_none(self, backend: Backend) -> None:
        directory, source = backend.directory, new_name()
        await directory.set_alias(source, addresses("ann@example.test"))
        await directory.set_alias(source, [])
        await directory.set_alias(source, [])
        assert list(await directory.alias(source)) == []
        assert source not in [each for each, _ in await directory.aliases()]

    @on_backend
    async def test_aliases_are_listed_sorted_with_their_targets(self, backend: Backend) -> None:
        directory = backend.directory
        domain = unique("domain-") + ".test"
        wanted = {
            f"z@{domain}": addresses("ann@example.test"),
            f"@{domain}": addresses("catch@example.test", "all@example.test"),
            f"a@{domain}": addresses("bob@example.test"),
        }
        for source, targets in wanted.items():
            await directory.set_alias(source, targets)
        listed = list(await directory.aliases())
        assert [source for source, _ in listed] == sorted(source for source, _ in listed)
        assert {source: list(targets) for source, targets in listed if source.endswith(domain)} == wanted
        assert list(await directory.alias(f"@{domain}")) == wanted[f"@{domain}"]

    @on_backend
    async def test_an_alias_may_be_named_as_a_user_is(self, backend: Backend) -> None:
        directory, name = backend.directory, new_name()
        await directory.add_user(name, "hash")
        await directory.set_alias(name, addresses(name, "copy@elsewhere.test"))
        assert list(await directory.alias(name)) == addresses(name, "copy@elsewhere.test")
        await directory.remove_user(name)
        assert list(await directory.alias(name)) == addresses(name, "copy@elsewhere.test")

    @on_backend
    async def test_the_version_grows_with_every_change(self, backend: Backend) -> None:
        directory, name = backend.directory, new_name()
        last = directory.version
        changes: list[Callable[[], Deferred[None]]] = [
            lambda: directory.add_user(name, "one"),
            lambda: directory.set_password_hash(name, "two"),
            lambda: directory.set_alias("all@example.test", addresses(name)),
            lambda: directory.set_alias("all@example.test", addresses("ann@example.test")),
            lambda: directory.set_alias("all@example.test", []),
            lambda: directory.remove_user(name),
        ]
        for change in changes:
            await change()
            assert directory.version > last
            last = directory.version

    @on_backend
    async def test_reading_leaves_the_version_alone(self, backend: Backend) -> None:
        directory, name = backend.directory, new_name()
        await directory.add_user(name, "hash")
        version = directory.version
        await directory.users()
        await directory.aliases()
        await directory.alias(name)
        await directory.password_hash(name)
        assert directory.version == version

    @on_backend
    async def test_users_and_aliases_are_there_after_a_restart(self, backend: Backend) -> None:
        name, source = new_name(), new_name()
        await backend.directory.add_user(name, "hash")
        await backend.directory.set_alias(source, addresses("ann@example.test"))
        await backend.restart()
        assert await backend.directory.password_hash(name) == "hash"
        assert list(await backend.directory.alias(source)) == addresses("ann@example.test")

    @on_backend
    async def test_of_many_who_add_one_user_at_once_one_succeeds(self, backend: Backend) -> None:
        directory, name = backend.directory, new_name()
        asked = [directory.add_user(name, f"hash {number}") for number in range(5)]
        results = await DeferredList(asked, consumeErrors=True)
        (winner,) = [position for position, (success, _) in enumerate(results) if success]
        assert await directory.password_hash(name) == f"hash {winner}"
