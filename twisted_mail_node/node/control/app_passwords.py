"""
What the operator can do to app passwords: make one for a user, list them, revoke one.

Decides what they are made of. An answer of `add` is the only place where one is ever shown. Neighbours: `operations`
performs what is here by name; `mail.app_password` has their form.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping

from ...interfaces.credentials import IAppPasswords, app_passwords_of
from ...interfaces.store import IDirectory
from ...mail.app_password import SECRET_OCTETS, AppPassword, checked_label, digest_of, shown
from ...mail.password_marks import NO_PASSWORD
from .arguments import JSON, Arguments, Operation, Refusal, address, time_text

MOST_OF_ONE_USER = 100
"""Our own bound: all of a user's are read at a login, and kept for the next."""


class AppPasswordDesk:
    """
    Performs them.

    Args:
        directory: has the users; app passwords as well, where it provides IAppPasswords.
        seconds: the time, in seconds since the epoch.
    """

    def __init__(self, directory: IDirectory, seconds: Callable[[], float]) -> None:
        self._directory = directory
        self._seconds = seconds

    @property
    def by_name(self) -> Mapping[str, Operation]:
        """The operations."""
        return {
            "user.app-password.add": self._add,
            "user.app-password.list": self._list,
            "user.app-password.revoke": self._revoke,
        }

    async def _add(self, arguments: Arguments) -> JSON:
        name, label = await self._user(arguments), _label(arguments)
        kept = self._kept()
        if len(await kept.app_passwords(name)) >= MOST_OF_ONE_USER:
            raise Refusal(f"{name} has {MOST_OF_ONE_USER} app passwords already: revoke one that is not used any more")
        password = shown(secrets.token_bytes(SECRET_OCTETS))
        digest = digest_of(password)
        assert digest is not None, "what is shown has the shape of an app password"
        created = int(self._seconds())
        await kept.add_app_password(name, AppPassword(label=label, digest=digest, created=created))
        return {"name": name, "label": label, "password": password}

    async def _list(self, arguments: Arguments) -> JSON:
        kept = await self._kept().app_passwords(await self._user(arguments))
        return [
            {
                "label": each.label,
                "created": time_text(each.created),
                "last_used": None if each.last_used is None else time_text(each.last_used),
            }
            for each in kept
        ]

    async def _revoke(self, arguments: Arguments) -> JSON:
        name, label = await self._user(arguments), _label(arguments)
        await self._kept().remove_app_password(name, label)
        return {"name": name, "label": label}

    async def _user(self, arguments: Arguments) -> str:
        name = address(arguments["name"]).key
        if await self._directory.password_hash(name) in (None, NO_PASSWORD):
            raise Refusal(f"there is no user {name}")
        return name

    def _kept(self) -> IAppPasswords:
        kept = app_passwords_of(self._directory)
        if kept is None:
            raise Refusal("the directory of this node keeps no app passwords")
        return kept


def _label(arguments: Arguments) -> str:
    try:
        return checked_label(arguments["label"])
    except ValueError as error:
        raise Refusal(str(error)) from None
