"""Users and aliases where an application keeps accounts and knows its users' passwords itself."""

from __future__ import annotations

from collections.abc import Sequence

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.interfaces import IReactorTime
from zope.interface import implementer

from ...interfaces.deferred import returns_deferred
from ...interfaces.store import IDirectory, IMailStore
from ...mail.address import Address
from ...mail.errors import NoSuchAccount, PermanentFailure
from ...mail.password_marks import NO_PASSWORD

REMEMBERED_SECONDS = 2
"""For so long who asks may go by what it was told: accounts come and go without a word to this node."""


@implementer(IDirectory)
class AccountDirectory:
    """
    The accounts of a store as users.

    Args:
        store: has the accounts. Where it lets the node make none, neither does this.
        clock: ages what was told.
        aliases: keeps the aliases; None: there are none, and none can be made.
    """

    def __init__(self, store: IMailStore, clock: IReactorTime, aliases: IDirectory | None = None) -> None:
        self._store = store
        self._clock = clock
        self._aliases = aliases
        self._changes = 0

    @property
    def version(self) -> int:
        """See IDirectory. Grows with time as well."""
        kept = 0 if self._aliases is None else self._aliases.version
        return int(self._clock.seconds()) // REMEMBERED_SECONDS + self._changes + kept

    @returns_deferred
    async def add_user(self, name: str, password_hash: str, mailboxes: Sequence[tuple[str, str | None]] = ()) -> None:
        """See IDirectory; the hash is not kept. Fails also with PermanentFailure: accounts are not ours to make."""
        await self._store.create_account(name, mailboxes)
        self._changes += 1

    @returns_deferred
    async def remove_user(self, name: str) -> None:
        """See IDirectory. Fails also as add_user."""
        await self._store.remove_account(name)
        self._changes += 1

    def set_password_hash(self, name: str, password_hash: str) -> Deferred[None]:
        """Fails with PermanentFailure: passwords are not ours."""
        return fail(PermanentFailure("passwords are kept by the application that this node is part of"))

    def users(self) -> Deferred[Sequence[str]]:
        """See IDirectory."""
        return self._store.accounts()

    @returns_deferred
    async def password_hash(self, name: str) -> str | None:
        """See IDirectory: NO_PASSWORD for every account."""
        try:
            await self._store.account(name)
        except NoSuchAccount:
            return None
        return NO_PASSWORD

    def set_alias(self, source: str, targets: Sequence[Address]) -> Deferred[None]:
        """See IDirectory. Fails also with PermanentFailure: there is no place for aliases."""
        if self._aliases is None:
            return fail(PermanentFailure("aliases are kept by the application that this node is part of"))
        return self._aliases.set_alias(source, targets)

    def alias(self, source: str) -> Deferred[Sequence[Address]]:
        """See IDirectory."""
        return succeed(()) if self._aliases is None else self._aliases.alias(source)

    def aliases(self) -> Deferred[Sequence[tuple[str, Sequence[Address]]]]:
        """See IDirectory."""
        return succeed(()) if self._aliases is None else self._aliases.aliases()
