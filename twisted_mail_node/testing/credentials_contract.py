"""
The contracts of IAppPasswords and IVerifierKeeping, for a directory that provides them.

Inherit `AppPasswordContract`, `VerifierContract`, or both, and supply the fixture `backend` (see `testing.backend`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from twisted.internet.defer import Deferred
from zope.interface.verify import verifyObject

from ..interfaces.credentials import IAppPasswords, IVerifierKeeping
from ..mail.app_password import AppPassword
from ..mail.errors import AppPasswordExists, NoSuchAccount, NoSuchAppPassword
from ..mail.scram import LEAST_ITERATIONS, ScramHash, ScramVerifier
from .backend import Backend, on_backend
from .directory_contract import new_name
from .samples import unique


def an_app_password(label: str) -> AppPassword:
    """One that nobody else has."""
    return AppPassword(label=label, digest=unique("digest-").ljust(32).encode(), created=1_700_000_000)


def a_verifier(hash: ScramHash, salt: bytes = b"salt") -> ScramVerifier:
    """A verifier of `secret`."""
    return ScramVerifier.from_password("secret", hash, salt, LEAST_ITERATIONS)


class AppPasswordContract:
    """IAppPasswords."""

    @on_backend
    async def test_app_passwords_are_kept_as_they_were_given(self, backend: Backend) -> None:
        directory, name = _app_passwords(backend), new_name()
        assert verifyObject(IAppPasswords, directory)
        await backend.directory.add_user(name, "hash")
        phone, laptop = an_app_password("Telefon ☎"), an_app_password("laptop")
        await directory.add_app_password(name, laptop)
        await directory.add_app_password(name, phone)
        assert list(await directory.app_passwords(name)) == [phone, laptop]
        await backend.restart()
        assert list(await _app_passwords(backend).app_passwords(name)) == [phone, laptop]

    @on_backend
    async def test_a_removed_app_password_is_gone_and_others_are_not(self, backend: Backend) -> None:
        directory, name, other = _app_passwords(backend), new_name(), new_name()
        phone, laptop = an_app_password("phone"), an_app_password("laptop")
        for each in (name, other):
            await backend.directory.add_user(each, "hash")
        await directory.add_app_password(name, phone)
        await directory.add_app_password(name, laptop)
        await directory.add_app_password(other, phone)
        await directory.remove_app_password(name, "phone")
        assert list(await directory.app_passwords(name)) == [laptop]
        assert list(await directory.app_passwords(other)) == [phone]
        with pytest.raises(NoSuchAppPassword):
            await directory.remove_app_password(name, "phone")

    @on_backend
    async def test_a_label_is_taken_once_and_so_is_a_digest(self, backend: Backend) -> None:
        directory, name = _app_passwords(backend), new_name()
        await backend.directory.add_user(name, "hash")
        phone = an_app_password("phone")
        await directory.add_app_password(name, phone)
        again = AppPassword(label="laptop", digest=phone.digest, created=0)
        for taken in (an_app_password("phone"), again):
            with pytest.raises(AppPasswordExists):
                await directory.add_app_password(name, taken)
        assert list(await directory.app_passwords(name)) == [phone]

    @on_backend
    async def test_who_does_not_exist_has_no_app_passwords_and_gets_none(self, backend: Backend) -> None:
        directory, name = _app_passwords(backend), new_name()
        assert list(await directory.app_passwords(name)) == []
        with pytest.raises(NoSuchAccount):
            await directory.add_app_password(name, an_app_password("phone"))
        with pytest.raises(NoSuchAppPassword):
            await directory.remove_app_password(name, "phone")
        await directory.app_password_used(name, "phone", 1)
        assert list(await directory.app_passwords(name)) == []

    @on_backend
    async def test_app_passwords_go_with_their_user_and_not_with_the_password(self, backend: Backend) -> None:
        directory, name = _app_passwords(backend), new_name()
        await backend.directory.add_user(name, "hash")
        await directory.add_app_password(name, an_app_password("phone"))
        await backend.directory.set_password_hash(name, "other")
        assert len(await directory.app_passwords(name)) == 1
        await backend.directory.remove_user(name)
        await backend.directory.add_user(name, "hash")
        assert list(await directory.app_passwords(name)) == []

    @on_backend
    async def test_a_use_is_noted_and_is_no_change_of_the_directory(self, backend: Backend) -> None:
        directory, name = _app_passwords(backend), new_name()
        await backend.directory.add_user(name, "hash")
        await directory.add_app_password(name, an_app_password("phone"))
        version = backend.directory.version
        await directory.app_password_used(name, "phone", 1_700_000_777)
        (phone,) = await directory.app_passwords(name)
        assert phone.last_used == 1_700_000_777
        assert backend.directory.version == version

    @on_backend
    async def test_an_app_password_that_comes_or_goes_is_a_change_of_the_directory(self, backend: Backend) -> None:
        directory, name = _app_passwords(backend), new_name()
        await backend.directory.add_user(name, "hash")
        changes: list[Callable[[], Deferred[None]]] = [
            lambda: directory.add_app_password(name, an_app_password("phone")),
            lambda: directory.remove_app_password(name, "phone"),
        ]
        for change in changes:
            version = backend.directory.version
            await change()
            assert backend.directory.version > version


class VerifierContract:
    """IVerifierKeeping."""

    @on_backend
    async def test_verifiers_are_kept_for_the_hash_they_were_made_with(self, backend: Backend) -> None:
        directory, name = _verifiers(backend), new_name()
        assert verifyObject(IVerifierKeeping, directory)
        await backend.directory.add_user(name, "hash")
        assert list(await directory.verifiers(name)) == []
        both = [a_verifier(ScramHash.SHA_1), a_verifier(ScramHash.SHA_256)]
        version = backend.directory.version
        assert await directory.keep_verifiers(name, "hash", both)
        assert backend.directory.version > version
        assert list(await directory.verifiers(name)) == both
        assert name in await directory.names_with_verifiers()
        assert not await directory.keep_verifiers(name, "old hash", [])
        await backend.restart()
        assert list(await _verifiers(backend).verifiers(name)) == both

    @on_backend
    async def test_verifiers_are_replaced(self, backend: Backend) -> None:
        directory, name = _verifiers(backend), new_name()
        await backend.directory.add_user(name, "hash")
        await directory.keep_verifiers(name, "hash", [a_verifier(ScramHash.SHA_1)])
        await directory.keep_verifiers(name, "hash", [a_verifier(ScramHash.SHA_256)])
        assert list(await directory.verifiers(name)) == [a_verifier(ScramHash.SHA_256)]
        await directory.keep_verifiers(name, "hash", [])
        assert list(await directory.verifiers(name)) == []
        assert name not in await directory.names_with_verifiers()

    @on_backend
    async def test_another_password_ends_the_verifiers_of_the_old_one(self, backend: Backend) -> None:
        directory, name = _verifiers(backend), new_name()
        await backend.directory.add_user(name, "hash")
        await directory.keep_verifiers(name, "hash", [a_verifier(ScramHash.SHA_256)])
        await backend.directory.set_password_hash(name, "other")
        assert list(await directory.verifiers(name)) == []

    @on_backend
    async def test_verifiers_go_with_their_user(self, backend: Backend) -> None:
        directory, name = _verifiers(backend), new_name()
        assert not await directory.keep_verifiers(name, "hash", [a_verifier(ScramHash.SHA_256)])
        await backend.directory.add_user(name, "hash")
        await directory.keep_verifiers(name, "hash", [a_verifier(ScramHash.SHA_256)])
        await backend.directory.remove_user(name)
        await backend.directory.add_user(name, "hash")
        assert list(await directory.verifiers(name)) == []


# Any: what a directory provides besides is found by its own door.
def _app_passwords(backend: Backend) -> Any:
    return backend.directory


def _verifiers(backend: Backend) -> Any:
    return backend.directory
