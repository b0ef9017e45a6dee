"""
The checker of twisted.cred over the directory: a name and a password against the stored hash.

Decides nothing about hashes (see `passwords`) and nothing about what a login may do (see `portal`). The hashes it
has read are kept under the directory's version, so a client that polls costs no question to the database.
"""

from __future__ import annotations

from collections import OrderedDict

from twisted.cred.checkers import ICredentialsChecker
from twisted.cred.credentials import IUsernamePassword
from twisted.cred.error import UnauthorizedLogin
from twisted.internet.defer import CancelledError, Deferred
from twisted.logger import Logger
from zope.interface import implementer

from ..interfaces.deferred import returns_deferred
from ..interfaces.store import IDirectory
from .passwords import Passwords

MAX_KEPT_HASHES = 10_000


@implementer(ICredentialsChecker)
class DirectoryChecker:
    """Checks a user name and password, both UTF-8. The avatar's id is the account's name."""

    credentialInterfaces = (IUsernamePassword,)

    _log = Logger()

    def __init__(self, directory: IDirectory, passwords: Passwords) -> None:
        self._directory = directory
        self._passwords = passwords
        self._hashes: OrderedDict[str, str | None] = OrderedDict()
        self._hashes_version = -1

    @returns_deferred
    async def requestAvatarId(self, credentials: IUsernamePassword) -> bytes | tuple[()]:
        """
        Fires with the account's name.

        Fails with: UnauthorizedLogin, after the same time for a wrong password and an unknown user;
        TemporaryFailure.
        """
        try:
            name = _text(credentials.username)
            password = _text(credentials.password)
        except UnicodeDecodeError as error:
            raise UnauthorizedLogin("not UTF-8") from error
        stored_hash = await self._stored_hash(name)
        verified = await self._passwords.verify(name, password, stored_hash)
        if not verified.correct or stored_hash is None:
            raise UnauthorizedLogin("wrong password or no such user")
        if verified.stale:
            Deferred.fromCoroutine(self._renew(name, password, stored_hash))
        return name.encode("utf-8")

    async def _stored_hash(self, name: str) -> str | None:
        version = self._directory.version
        if version != self._hashes_version:
            self._hashes.clear()
            self._hashes_version = version
        if name in self._hashes:
            self._hashes.move_to_end(name)
            return self._hashes[name]
        stored_hash = await self._directory.password_hash(name)
        if self._directory.version == version == self._hashes_version:
            self._hashes[name] = stored_hash
            if len(self._hashes) > MAX_KEPT_HASHES:
                self._hashes.popitem(last=False)
        return stored_hash

    async def _renew(self, name: str, password: str, stale_hash: str) -> None:
        """Make a stale hash anew, unless the password was changed meanwhile. The login does not wait for it."""
        try:
            new_hash = await self._passwords.hash(password)
            if await self._directory.password_hash(name) == stale_hash:
                await self._directory.set_password_hash(name, new_hash)
                self._log.info("password hash of {account} made anew", account=name)
        except CancelledError:
            raise
        except Exception as error:
            self._log.warn("password hash of {account} stays stale: {reason}", account=name, reason=str(error))


def _text(value: bytes | str) -> str:
    return value if isinstance(value, str) else value.decode("utf-8")
