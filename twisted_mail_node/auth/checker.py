"""
The checker of twisted.cred for names and passwords: app passwords first, then one source of passwords after the other.

Decides in which order, and that each name is one source's: the first that knows it. Neighbours: the sources are
`directory`, `passwd_file` and `ldap`; `app_passwords` has the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from twisted.cred.checkers import ICredentialsChecker
from twisted.cred.credentials import IUsernamePassword
from twisted.cred.error import UnauthorizedLogin
from twisted.internet.defer import Deferred
from twisted.logger import Logger
from zope.interface import implementer

from ..interfaces.deferred import returns_deferred
from .app_passwords import AppPasswords
from .passwords import Passwords


class PasswordSource(Protocol):
    """Knows the passwords of some users."""

    hashes_here: bool
    """Whether a check of a known name takes the time of a hash of ours."""

    def check(self, name: str, password: str) -> Deferred[bool | None]:
        """
        Whether the password is the user's; None where nobody of that name is known here.

        Fails with: TemporaryFailure, where that can't be told now. Cancelling gives the question up.
        """


@implementer(ICredentialsChecker)
class PasswordChecker:
    """
    Checks a user name and password, both UTF-8. The avatar's id is the account's name.

    A name that a source knows is decided by it alone, so that a password that was changed there does not go on to
    open the door from another source. Only about names that it does not know the next is asked.
    """

    credentialInterfaces = (IUsernamePassword,)

    _log = Logger()

    def __init__(
        self, sources: Sequence[PasswordSource], passwords: Passwords, app_passwords: AppPasswords | None = None
    ) -> None:
        """
        Args:
            sources: in the order in which they are asked.
            passwords: computes a hash where no source did, so that a refusal tells nobody who exists.
            app_passwords: asked before all of them; None where nobody has any.
        """
        self._sources = sources
        self._passwords = passwords
        self._app_passwords = app_passwords

    @returns_deferred
    async def requestAvatarId(self, credentials: IUsernamePassword) -> bytes | tuple[()]:
        """
        Fires with the account's name.

        Fails with: UnauthorizedLogin, after the time of a hash whoever was asked; TemporaryFailure.
        """
        try:
            name = _text(credentials.username)
            password = _text(credentials.password)
        except UnicodeDecodeError as error:
            raise UnauthorizedLogin("not UTF-8") from error
        if await self._is_app_password(name, password) or await self._is_password(name, password):
            return name.encode("utf-8")
        raise UnauthorizedLogin("wrong password or no such user")

    async def _is_app_password(self, name: str, password: str) -> bool:
        if self._app_passwords is None:
            return False
        label = await self._app_passwords.label_of(name, password)
        if label is not None:
            self._log.info("login of {account!r} by app password {label!r}", account=name, label=label)
        return label is not None

    async def _is_password(self, name: str, password: str) -> bool:
        for source in self._sources:
            # RFC 4513 §5.1.2: an LDAP server takes an empty password for no wish to prove anything, and says yes.
            verdict = await source.check(name, password) if password else None
            if verdict:
                return True
            if verdict is False and source.hashes_here:
                return False
            if verdict is False:
                break
        await self._passwords.verify(name, password, None)
        return False


def _text(value: bytes | str) -> str:
    return value if isinstance(value, str) else value.decode("utf-8")
