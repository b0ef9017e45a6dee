"""The directory's tables: password hashes of users, and aliases."""

from __future__ import annotations

from collections.abc import Sequence

from ...mail.address import Address
from ...mail.errors import NoSuchAccount


class DirectoryContents:
    """Users and aliases. `version` grows with every change."""

    def __init__(self) -> None:
        self.version = 1
        self._password_hashes: dict[str, str] = {}
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
        self.version += 1

    def forget_user(self, name: str) -> None:
        """Remove the user, if there is one."""
        if self._password_hashes.pop(name, None) is not None:
            self.version += 1

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
