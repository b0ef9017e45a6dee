"""
Bringing an SQLite file to the newest version of the tables. The version is SQLite's `user_version`.

Neighbours: `store.sql.schema` has the statements.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import apsw
from twisted.logger import Logger

from ....mail.errors import PermanentFailure
from ..schema import MIGRATIONS
from .backup import copy_file
from .connection import SQLiteConnection

APPLICATION_ID = 0x744D4E31
"""Marks a file as ours (`PRAGMA application_id`)."""

SPARE_OCTETS = 64 * 1024 * 1024
"""What is to be free besides: mail goes on coming."""

_log = Logger(namespace="twisted_mail_node.store.sql.sqlite.migration")


def version_of(connection: apsw.Connection, newest: int = len(MIGRATIONS)) -> int:
    """
    The schema's version; 0 for an empty file.

    Raises: PermanentFailure: the file is a later version's, or no file of ours.
    """
    # Other programs' files have tables, and not our mark.
    version, mark, tables = (
        int(connection.pragma("user_version")),
        int(connection.pragma("application_id")),
        len(connection.execute("SELECT 1 FROM sqlite_schema").fetchall()),
    )
    if mark != APPLICATION_ID and tables:
        raise PermanentFailure(f"{connection.filename} is not a database of this program; move it away")
    if version > newest:
        raise PermanentFailure(
            f"{connection.filename} was written by a newer version of this program (its schema is {version}, this "
            f"one knows {newest}); install that version again, or restore a backup"
        )
    return version


def migrate(connection: apsw.Connection, migrations: Sequence[Sequence[str]] = MIGRATIONS) -> None:
    """
    Bring the file to the newest version, a transaction for each: what fails changes nothing of its version.

    Raises: PermanentFailure: as `version_of`.
    """
    for version in range(version_of(connection, len(migrations)), len(migrations)):
        connection.execute("BEGIN IMMEDIATE")
        try:
            for statement in migrations[version]:
                connection.execute(statement)
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {version + 1}")
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise


def migrate_safely(connection: SQLiteConnection, path: Path, *, copy_first: bool = True) -> None:
    """
    The same for the file at `path`, which is copied to a file beside it before its tables are changed.

    Raises: PermanentFailure: as `version_of`; or there is no room for the copy.
    """
    version, newest = version_of(connection), len(MIGRATIONS)
    if version in (0, newest):
        # Nothing is lost where nothing is there yet.
        migrate(connection)
        return
    if copy_first:
        kept = path.with_name(f"{path.name}.before-{newest}")
        check_room(connection, kept.parent, f"a copy of {path} before its tables are changed")
        copy_file(connection, kept, lambda copied, pages: None, replace=True)
        _log.info("{path} is kept as {kept}, as it was before its tables are changed", path=str(path), kept=str(kept))
    migrate(connection)
    _log.info("{path} was brought from schema {version} to {newest}", path=str(path), version=version, newest=newest)


def check_room(connection: SQLiteConnection, folder: Path, purpose: str) -> None:
    """Raises PermanentFailure where the folder has no room for a copy of the database, or is none."""
    needed = int(connection.pragma("page_count")) * int(connection.pragma("page_size")) + SPARE_OCTETS
    try:
        free = shutil.disk_usage(folder).free
    except OSError as error:
        raise PermanentFailure(f"cannot write to {folder}: {error.strerror}") from error
    if free < needed:
        room = f"{_in_mebibytes(needed)} in {folder}, where {_in_mebibytes(free)} are free"
        raise PermanentFailure(f"{purpose} needs {room}; make room there")


def _in_mebibytes(octets: int) -> str:
    return f"{octets / (1024 * 1024):,.0f} MiB"
