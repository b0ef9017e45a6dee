"""
App passwords known again: by their digest, without a slow hash.

Decides how often a use is noted. Neighbours: `mail.app_password` has their form, `checker` asks before it asks for
anything dearer.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from hmac import compare_digest

from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.logger import Logger

from ..interfaces.credentials import IAppPasswords
from ..interfaces.deferred import returns_deferred
from ..interfaces.store import IDirectory
from ..mail.app_password import AppPassword, digest_of
from .kept import Kept

NOTED_EVERY_SECONDS = 86_400
"""Our own choice: who looks for app passwords that are not used any more thinks in days; each poll would be a write."""

MOST_NOTED = 10_000


class AppPasswords:
    """The app passwords of all users."""

    _log = Logger()

    def __init__(self, directory: IDirectory, kept: IAppPasswords, seconds: Callable[[], float]) -> None:
        """
        Args:
            directory: says who exists.
            kept: has the app passwords.
            seconds: the time, in seconds since the epoch.
        """
        self._directory = directory
        self._kept = kept
        self._seconds = seconds
        self._read = Kept(directory, self._of)
        self._noted: OrderedDict[tuple[str, str], float] = OrderedDict()

    def label_of(self, name: str, password: str) -> Deferred[str | None]:
        """
        The label of the app password that this is; None where it is none of this user.

        Fails with: TemporaryFailure.
        """
        digest = digest_of(password)
        return succeed(None) if digest is None else self._find(name, digest)

    @returns_deferred
    async def _find(self, name: str, digest: bytes) -> str | None:
        for app_password in await self._read.get(name):
            if compare_digest(app_password.digest, digest):
                self._note(name, app_password)
                return app_password.label
        return None

    @returns_deferred
    async def _of(self, name: str) -> Sequence[AppPassword]:
        # Whom LDAP does not know any more may still have some.
        if await self._directory.password_hash(name) is None:
            return ()
        return await self._kept.app_passwords(name)

    def _note(self, name: str, used: AppPassword) -> None:
        now = self._seconds()
        last = self._noted.get((name, used.label), used.last_used or 0)
        if now - last < NOTED_EVERY_SECONDS:
            return
        self._noted[name, used.label] = now
        if len(self._noted) > MOST_NOTED:
            self._noted.popitem(last=False)
        # The login does not wait for it.
        Deferred.fromCoroutine(self._write(name, used.label, int(now)))

    async def _write(self, name: str, label: str, now: int) -> None:
        try:
            await self._kept.app_password_used(name, label, now)
        except CancelledError:
            raise
        except Exception as error:
            self._log.warn(
                "the use of {account}'s app password is not noted: {reason}", account=name, reason=str(error)
            )
