"""
The directory of a node whose users are known elsewhere as well: in a passwd file, in LDAP.

Decides who exists: a user with a password of the node's own, or whom one of the other sources knows now. Such a user
gets an account at the first word of them, a login or a message, and is marked in the directory (ELSEWHERE). Who is
known nowhere any more keeps the account and its mail, and can neither log in nor be written to. Neighbour: `checker`
asks the same sources about passwords.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from twisted.internet.defer import Deferred
from twisted.logger import Logger
from zope.interface import Interface, implementer

from ..interfaces.deferred import returns_deferred
from ..interfaces.store import IDirectory
from ..mail.address import Address
from ..mail.errors import AccountExists
from ..mail.password_marks import ELSEWHERE
from .checker import PasswordSource
from .kept import Kept


class UserSource(Protocol):
    """Knows of some users."""

    @property
    def version(self) -> int:
        """Never gets smaller. What was told under another version is old."""

    def knows(self, name: str) -> Deferred[bool]:
        """Whether there is such a user. Fails with: TemporaryFailure, where that can't be told now."""


@implementer(IDirectory)
class JoinedDirectory:
    """IDirectory over another one and what else knows users. Its further doors are the other's own."""

    _log = Logger()

    def __init__(
        self, own: IDirectory, sources: Sequence[UserSource], new_mailboxes: Sequence[tuple[str, str | None]]
    ) -> None:
        """
        Args:
            own: keeps users and aliases.
            sources: asked in this order about who has no password in `own`.
            new_mailboxes: of an account that is made.
        """
        self._own = own
        self._sources = sources
        self._new_mailboxes = new_mailboxes

    # Any: whatever the interface says.
    def __conform__(self, interface: type[Interface]) -> Any:
        """The own directory's further doors, such as IAppPasswords (zope.interface asks for them here)."""
        return interface(self._own, None)

    @property
    def version(self) -> int:
        """See IDirectory."""
        return int(self._own.version) + sum(source.version for source in self._sources)

    @returns_deferred
    async def password_hash(self, name: str) -> str | None:
        """See IDirectory: ELSEWHERE for who is known by another source. Fails also as the sources do."""
        stored = await self._own.password_hash(name)
        if stored not in (None, ELSEWHERE):
            return stored
        for source in self._sources:
            if await source.knows(name):
                if stored is None:
                    await self._make_account(name)
                return ELSEWHERE
        return None

    async def _make_account(self, name: str) -> None:
        try:
            await self._own.add_user(name, ELSEWHERE, self._new_mailboxes)
        except AccountExists:
            # Somebody else was faster, or the account was there without a user: either way it can be used.
            return
        self._log.info("an account was made for {account}", account=name)

    def add_user(
        self, name: str, password_hash: str, mailboxes: Sequence[tuple[str, str | None]] = ()
    ) -> Deferred[None]:
        """See IDirectory."""
        return self._own.add_user(name, password_hash, mailboxes)

    def remove_user(self, name: str) -> Deferred[None]:
        """See IDirectory. Whom another source knows still, comes again with an empty account."""
        return self._own.remove_user(name)

    def set_password_hash(self, name: str, password_hash: str) -> Deferred[None]:
        """See IDirectory. From then on no other source is asked about this user."""
        return self._own.set_password_hash(name, password_hash)

    def users(self) -> Deferred[Sequence[str]]:
        """See IDirectory: those who have an account."""
        return self._own.users()

    def set_alias(self, source: str, targets: Sequence[Address]) -> Deferred[None]:
        """See IDirectory."""
        return self._own.set_alias(source, targets)

    def alias(self, source: str) -> Deferred[Sequence[Address]]:
        """See IDirectory."""
        return self._own.alias(source)

    def aliases(self) -> Deferred[Sequence[tuple[str, Sequence[Address]]]]:
        """See IDirectory."""
        return self._own.aliases()


class Welcoming:
    """
    A PasswordSource over another: whose password is right gets an account, if there is none yet.

    Args:
        source: knows the passwords.
        directory: makes accounts.
    """

    def __init__(self, source: PasswordSource, directory: JoinedDirectory) -> None:
        self.hashes_here = source.hashes_here
        self._source = source
        self._made = Kept(directory, directory.password_hash)

    @returns_deferred
    async def check(self, name: str, password: str) -> bool | None:
        """See PasswordSource. Fails also as JoinedDirectory does."""
        verdict = await self._source.check(name, password)
        if verdict:
            await self._made.get(name)
        return verdict
