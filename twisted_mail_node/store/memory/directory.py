"""The directory's tables: password hashes of users, their verifiers and app passwords, and aliases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ...mail.address import Address
from ...mail.app_password import AppPassword
from ...mail.errors import AppPasswordExists, NoSuchAccount, NoSuchAppPassword
from ...mail.scram import ScramVerifier


class DirectoryContents:
    """Users and aliases. `version` grows with every change."""

    def __init__(self) -> None:
        self.version = 1
        self._password_hashes: dict[str, str] = {}
        self._verifiers: dict[str, tuple[ScramVerifier, ...]] = {}
        self._app_passwords: dict[str, dict[str, AppPassword]] = {}
        self._aliases: dict[str, tuple[Address, ...]] = {}

    @property
    def users(self) -> list[str]:
        """All users' names, sorted."""
        return sorted(self._password_hashes)

    def check_user(self, name: str) -> None:
        """Raises: NoSuchAccount: no such user."""
        if name not in self._password_hashes:
            raise NoSuchAccount("no such user")

    def password_hash(self, name: str) -> str | None:
        """The user's password hash, or None."""
        return self._password_hashes.get(name)

    def set_password_hash(self, name: str, password_hash: str) -> None:
        """Set the hash; makes the user where there is none."""
        self._password_hashes[name] = password_hash
        self._verifiers.pop(name, None)
        self.version += 1

    def forget_user(self, name: str) -> None:
        """Remove the user, if there is one."""
        self._verifiers.pop(name, None)
        self._app_passwords.pop(name, None)
        if self._password_hashes.pop(name, None) is not None:
            self.version += 1

    def verifiers(self, name: str) -> Sequence[ScramVerifier]:
        """The user's SCRAM verifiers."""
        return self._verifiers.get(name, ())

    def keep_verifiers(self, name: str, password_hash: str, verifiers: Sequence[ScramVerifier]) -> bool:
        """Replace them if the hash is this one."""
        if self._password_hashes.get(name) != password_hash:
            return False
        self._verifiers[name] = tuple(verifiers)
        self.version += 1
        return True

    @property
    def names_with_verifiers(self) -> Sequence[str]:
        """Who has any."""
        return [name for name, verifiers in self._verifiers.items() if verifiers]

    def add_app_password(self, name: str, app_password: AppPassword) -> None:
        """Raises: AppPasswordExists."""
        own = self._app_passwords.setdefault(name, {})
        digests = {kept.digest for kept in own.values()}
        if app_password.label in own or app_password.digest in digests:
            raise AppPasswordExists("there is an app password of that label already")
        own[app_password.label] = app_password
        self.version += 1

    def remove_app_password(self, name: str, label: str) -> None:
        """Raises: NoSuchAppPassword."""
        if self._app_passwords.get(name, {}).pop(label, None) is None:
            raise NoSuchAppPassword("there is no app password of that label")
        self.version += 1

    def app_passwords(self, name: str) -> Sequence[AppPassword]:
        """The user's, sorted by label."""
        own = self._app_passwords.get(name, {})
        return [own[label] for label in sorted(own)]

    def app_password_used(self, name: str, label: str, at: int) -> None:
        """Note a use; `version` stays."""
        own = self._app_passwords.get(name, {})
        if label in own:
            own[label] = replace(own[label], last_used=at)

    def alias(self, source: str) -> Sequence[Address]:
        """The targets of an alias."""
        return self._aliases.get(source, ())

    @property
    def aliases(self) -> list[tuple[str, Sequence[Address]]]:
        """All aliases, sorted by source."""
        return [(source, self._aliases[source]) for source in sorted(self._aliases)]

    def set_alias(self, source: str, targets: Sequence[Address]) -> None:
        """Make, replace or (with no targets) remove an alias."""
        if targets:
            self._aliases[source] = tuple(targets)
        else:
            self._aliases.pop(source, None)
        self.version += 1
