"""
Bringing an SQLite file to the newest version of the tables. The version is SQLite's `user_version`.

Neighbours: `store.sql.schema` has the statements.
"""

from __future__ import annotations

from collections.abc import Sequence

import apsw

from ....mail.errors import PermanentFailure
from ..schema import MIGRATIONS

APPLICATION_ID = 0x744D4E31
"""Marks a file as ours (`PRAGMA application_id`)."""


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
    Bring the file to the newest version, all of the way or not at all.

    Raises: PermanentFailure: as `version_of`.
    """
    version = version_of(connection, len(migrations))
    if version == len(migrations):
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        for statements in migrations[version:]:
            for statement in statements:
                connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {len(migrations)}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
