"""What reads and writes what users prove themselves by, beside the hash of their password: verifiers, app passwords."""

from __future__ import annotations

from collections.abc import Sequence

from ...mail.app_password import AppPassword
from ...mail.errors import AppPasswordExists, NoSuchAccount, NoSuchAppPassword
from ...mail.scram import ScramVerifier
from .connection import Connection
from .state import WriteState


def verifiers(connection: Connection, name: str) -> Sequence[ScramVerifier]:
    """IVerifierKeeping.verifiers."""
    row = connection.find("SELECT scram FROM user WHERE name = ?", (name,))
    if row is None or row[0] is None:
        return ()
    return tuple(ScramVerifier.parse(text) for text in row[0].split())


def keep_verifiers(state: WriteState, name: str, password_hash: str, verifiers: Sequence[ScramVerifier]) -> bool:
    """IVerifierKeeping.keep_verifiers."""
    state.users_changed = True
    text = " ".join(map(str, verifiers)) or None
    statement = "UPDATE user SET scram = ? WHERE name = ? AND password_hash = ?"
    return bool(state.run(statement, (text, name, password_hash)))


def names_with_verifiers(connection: Connection) -> Sequence[str]:
    """IVerifierKeeping.names_with_verifiers."""
    return [row[0] for row in connection.every("SELECT name FROM user WHERE scram IS NOT NULL")]


def add_app_password(state: WriteState, name: str, app_password: AppPassword) -> None:
    """IAppPasswords.add_app_password."""
    state.users_changed = True
    # The row is locked where several nodes write, so that two of them count what is there one after the other.
    if not state.run("UPDATE user SET name = name WHERE name = ?", (name,)):
        raise NoSuchAccount("no such user")
    there = app_passwords(state.connection, name)
    if any(app_password.label == kept.label or app_password.digest == kept.digest for kept in there):
        raise AppPasswordExists("there is an app password of that label already")
    state.run(
        "INSERT INTO app_password VALUES (?, ?, ?, ?, ?)",
        (name, app_password.label, app_password.digest, app_password.created, app_password.last_used),
    )


def remove_app_password(state: WriteState, name: str, label: str) -> None:
    """IAppPasswords.remove_app_password."""
    state.users_changed = True
    if not state.run("DELETE FROM app_password WHERE name = ? AND label = ?", (name, label)):
        raise NoSuchAppPassword("there is no app password of that label")


def app_passwords(connection: Connection, name: str) -> Sequence[AppPassword]:
    """IAppPasswords.app_passwords."""
    rows = connection.every("SELECT label, digest, created, last_used FROM app_password WHERE name = ?", (name,))
    return [
        AppPassword(label=label, digest=bytes(digest), created=created, last_used=last_used)
        for label, digest, created, last_used in sorted(rows)
    ]


def app_password_used(state: WriteState, name: str, label: str, at: int) -> None:
    """IAppPasswords.app_password_used."""
    state.run("UPDATE app_password SET last_used = ? WHERE name = ? AND label = ?", (at, name, label))
