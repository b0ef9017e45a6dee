"""What reads and writes the directory's tables: users, their password hashes, aliases."""

from __future__ import annotations

from collections.abc import Sequence
from json import dumps, loads

from ...mail.address import Address
from ...mail.errors import NoSuchAccount
from .account import create_account, remove_account
from .connection import Connection
from .state import WriteState

Alias = tuple[str, Sequence[Address]]


def add_user(state: WriteState, name: str, password_hash: str, mailboxes: Sequence[tuple[str, str | None]]) -> None:
    """IDirectory.add_user."""
    state.users_changed = True
    create_account(state, name, mailboxes)
    state.run("INSERT INTO user (name, password_hash) VALUES (?, ?)", (name, password_hash))


def remove_user(state: WriteState, name: str) -> None:
    """IDirectory.remove_user."""
    if state.connection.find("SELECT 1 FROM user WHERE name = ?", (name,)) is None:
        raise NoSuchAccount("no such user")
    remove_account(state, name)


def set_password_hash(state: WriteState, name: str, password_hash: str) -> None:
    """IDirectory.set_password_hash."""
    state.users_changed = True
    if not state.run("UPDATE user SET password_hash = ?, scram = NULL WHERE name = ?", (password_hash, name)):
        raise NoSuchAccount("no such user")


def set_alias(state: WriteState, source: str, targets: Sequence[Address]) -> None:
    """IDirectory.set_alias."""
    state.users_changed = True
    if targets:
        state.run(
            "INSERT INTO alias VALUES (?, ?) ON CONFLICT (source) DO UPDATE SET targets = excluded.targets",
            (source, dumps([[target.local_part, target.domain] for target in targets])),
        )
    else:
        state.run("DELETE FROM alias WHERE source = ?", (source,))


def users(connection: Connection) -> list[str]:
    """IDirectory.users."""
    return sorted(row[0] for row in connection.every("SELECT name FROM user"))


def password_hash(connection: Connection, name: str) -> str | None:
    """IDirectory.password_hash."""
    row = connection.find("SELECT password_hash FROM user WHERE name = ?", (name,))
    return None if row is None else str(row[0])


def alias(connection: Connection, source: str) -> Sequence[Address]:
    """IDirectory.alias."""
    row = connection.find("SELECT targets FROM alias WHERE source = ?", (source,))
    return () if row is None else _addresses(row[0])


def aliases(connection: Connection) -> list[Alias]:
    """IDirectory.aliases."""
    rows = connection.every("SELECT source, targets FROM alias")
    return [(source, _addresses(targets)) for source, targets in sorted(rows)]


def _addresses(targets: str) -> tuple[Address, ...]:
    return tuple(Address(local_part, domain) for local_part, domain in loads(targets))
