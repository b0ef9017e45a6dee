"""
The realm: what a proven identity gets. And the portal, with our checker or an embedder's.

Decides whom an account may send as. Neighbours: `directory` proves identities; sessions in `protocols` hold the
ILogin that comes out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from twisted.cred.checkers import ICredentialsChecker
from twisted.cred.error import UnauthorizedLogin
from twisted.cred.portal import IRealm, Portal
from twisted.internet.defer import Deferred, fail, succeed
from zope.interface import Interface, implementer

from ..interfaces.auth import ILogin
from ..interfaces.deferred import returns_deferred
from ..interfaces.store import IAccount, IDirectory, IMailStore
from ..mail.address import Address
from .certificates import CertificateChecker
from .checker import PasswordChecker
from .directory import DirectoryPasswords
from .passwords import Passwords

# An alias may lead to an alias; further than this nobody looks.
MAX_ALIAS_DEPTH = 8
MAX_ALIASES_VISITED = 100


@implementer(ILogin)
class Login:
    """An account's avatar."""

    def __init__(self, name: str, store: IMailStore, directory: IDirectory, separator: str = "+") -> None:
        self.name = name
        self._store = store
        self._directory = directory
        self._separator = separator

    def account(self) -> Deferred[IAccount]:
        """See ILogin."""
        return self._store.account(self.name)

    def may_send_as(self, sender: Address | None) -> Deferred[bool]:
        """
        See ILogin.

        Yes for the null reverse-path, the account's own address, a +form of it, and an alias (or its +form, or a
        catch-all) that leads to the account.
        """
        if sender is None or self._is_mine(sender):
            return succeed(True)
        return self._led_here(sender)

    def _is_mine(self, address: Address) -> bool:
        return self.name in (address.key, address.without_detail(self._separator).key)

    @returns_deferred
    async def _led_here(self, sender: Address) -> bool:
        visited: set[str] = set()
        addresses = [sender]
        for _ in range(MAX_ALIAS_DEPTH):
            targets: list[Address] = []
            for address in addresses:
                if address.key in visited or len(visited) >= MAX_ALIASES_VISITED:
                    continue
                visited.add(address.key)
                targets.extend(await self._targets(address))
            if any(self._is_mine(target) for target in targets):
                return True
            addresses = targets
        return False

    async def _targets(self, address: Address) -> Sequence[Address]:
        names = dict.fromkeys((address.key, address.without_detail(self._separator).key))
        for name in names:
            if targets := await self._directory.alias(name):
                return targets
            if await self._directory.password_hash(name) is not None:
                # Another user's own address: no catch-all takes it.
                return ()
        return await self._directory.alias(f"@{address.domain}")


@implementer(IRealm)
class MailRealm:
    """Gives ILogin for any avatar id that a checker vouches for, an account's name as str or UTF-8 octets."""

    def __init__(self, store: IMailStore, directory: IDirectory, separator: str = "+") -> None:
        self._store = store
        self._directory = directory
        self._separator = separator

    def requestAvatar(
        self,
        avatarId: bytes | tuple[()] | str,  # noqa: N803
        mind: object,
        *interfaces: type[Interface],
    ) -> Deferred[tuple[type[Interface], object, Callable[[], None]]]:
        """
        See IRealm. Fails with: UnauthorizedLogin: the anonymous avatar.

        Raises: NotImplementedError: ILogin is not among the interfaces.
        """
        if ILogin not in interfaces:
            raise NotImplementedError("this realm gives ILogin only")
        if isinstance(avatarId, tuple):
            return fail(UnauthorizedLogin("nobody comes in without a name"))
        name = avatarId if isinstance(avatarId, str) else avatarId.decode("utf-8")
        login = Login(name.lower(), self._store, self._directory, self._separator)
        return succeed((ILogin, login, _nothing))


def make_portal(
    store: IMailStore,
    directory: IDirectory,
    passwords: Passwords,
    checkers: Sequence[ICredentialsChecker] | None = None,
    separator: str = "+",
) -> Portal:
    """
    A portal that gives ILogin.

    Args:
        store: has the accounts.
        directory: has the users' hashes and the aliases.
        passwords: verifies hashes.
        checkers: take the place of the directory's; what they give as avatar ids are names of accounts.
        separator: begins the detail in `name+detail@domain`.
    """
    if checkers is None:
        by_password = PasswordChecker([DirectoryPasswords(directory, passwords)], passwords)
        checkers = (by_password, CertificateChecker(directory))
    return Portal(MailRealm(store, directory, separator), checkers)


def _nothing() -> None:
    """Logging out ends nothing: a session holds no more than its avatar."""
