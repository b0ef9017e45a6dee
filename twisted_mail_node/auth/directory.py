"""
The directory as a source of passwords: a password against the stored hash.

Decides nothing about hashes (see `passwords`) and nothing about what a login may do (see `portal`). The hashes it
has read are kept under the directory's version, so a client that polls costs no question to the database.
"""

from __future__ import annotations

from twisted.internet.defer import CancelledError, Deferred
from twisted.logger import Logger

from ..interfaces.deferred import returns_deferred
from ..interfaces.store import IDirectory
from ..mail.password_marks import ELSEWHERE, NO_PASSWORD
from .kept import Kept
from .passwords import Passwords
from .verifiers import Verifiers


class DirectoryPasswords:
    """A PasswordSource: the users who have a password of their own here."""

    hashes_here = True

    _log = Logger()

    def __init__(self, directory: IDirectory, passwords: Passwords, verifiers: Verifiers | None = None) -> None:
        """
        Args:
            directory: has the hashes.
            passwords: verifies them.
            verifiers: makes a SCRAM verifier of a password that was right, where there is none; None: nobody does.
        """
        self._directory = directory
        self._passwords = passwords
        self._verifiers = verifiers
        self._hashes = Kept(directory, lambda name: directory.password_hash(name))

    @returns_deferred
    async def check(self, name: str, password: str) -> bool | None:
        """See PasswordSource."""
        stored_hash = await self._hashes.get(name)
        if stored_hash in (None, NO_PASSWORD, ELSEWHERE):
            return None
        verified = await self._passwords.verify(name, password, stored_hash)
        if verified.correct and stored_hash is not None:
            # The login waits for neither.
            if verified.stale:
                Deferred.fromCoroutine(self._renew(name, password, stored_hash))
            elif self._verifiers is not None:
                self._verifiers.complete(name, password, stored_hash)
        return verified.correct

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
