"""
Bringing a PostgreSQL database to the newest version of the tables, one node at a time.

The version is in a table of its own. While nodes run they share an advisory lock; who changes the tables has to have
it alone, so that no node works with tables that it does not know. Neighbours: `store.sql.schema` has the statements,
`dialect` what they are here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg

from ....mail.errors import PermanentFailure
from ..schema import MIGRATIONS
from .dialect import PARTITIONS, tables

NODES_LOCK = 0x744D_4E01
"""The number of the advisory lock that running nodes share: "tMN" and a digit."""

PATIENCE_SECONDS = 2
"""How long other nodes may take to give the lock back."""


def version_of(connection: psycopg.Connection[Any], newest: int = len(MIGRATIONS)) -> int:
    """
    The schema's version; 0 for a database without our tables.

    Raises: PermanentFailure: it is a later version's.
    """
    if connection.execute("SELECT to_regclass('mailnode_schema')").fetchall() == [(None,)]:
        return 0
    ((version,),) = connection.execute("SELECT version FROM mailnode_schema").fetchall()
    if version > newest:
        raise PermanentFailure(
            f"the database {connection.info.dbname} was written by a newer version of this program (its schema is "
            f"{version}, this one knows {newest}); install that version again, or restore a backup"
        )
    return int(version)


def migrate(
    connection: psycopg.Connection[Any],
    migrations: Sequence[Sequence[str]] = MIGRATIONS,
    partitions: int = PARTITIONS,
) -> None:
    """
    Bring the database to the newest version, all of the way or not at all, and share the nodes' lock from then on.

    Raises: PermanentFailure: as `version_of`; or the tables have to be changed while other nodes run.
    """
    if version_of(connection, len(migrations)) < len(migrations):
        _migrate(connection, migrations, partitions)
    if not _lock(connection, "pg_advisory_lock_shared"):
        raise PermanentFailure(f"another node is changing the tables of {connection.info.dbname}; start again then")


def _lock(connection: psycopg.Connection[Any], how: str) -> bool:
    """Take the nodes' lock. A node that has just ended may have it for another moment."""
    try:
        with connection.transaction():
            connection.execute(f"SET LOCAL lock_timeout = '{PATIENCE_SECONDS}s'")
            connection.execute(f"SELECT {how}(%s)", (NODES_LOCK,))
    except psycopg.errors.LockNotAvailable:
        return False
    return True


def _migrate(connection: psycopg.Connection[Any], migrations: Sequence[Sequence[str]], partitions: int) -> None:
    # Several nodes may start at once: the first makes the tables, the others find them made.
    connection.execute("SELECT pg_advisory_lock(%s)", (NODES_LOCK + 0x100,))
    try:
        version = version_of(connection, len(migrations))
        if version == len(migrations):
            return
        if version and not _lock(connection, "pg_advisory_lock"):
            raise PermanentFailure(
                f"the tables of {connection.info.dbname} have to be brought from version {version} to "
                f"{len(migrations)}, but other nodes use them; stop those first"
            )
        try:
            with connection.transaction():
                _apply(connection, version, migrations, partitions)
        finally:
            if version:
                connection.execute("SELECT pg_advisory_unlock(%s)", (NODES_LOCK,))
    finally:
        connection.execute("SELECT pg_advisory_unlock(%s)", (NODES_LOCK + 0x100,))


def _apply(
    connection: psycopg.Connection[Any], version: int, migrations: Sequence[Sequence[str]], partitions: int
) -> None:
    for statements in migrations[version:]:
        for statement in statements:
            for made in tables(statement, partitions):
                connection.execute(made)
    if version:
        connection.execute("UPDATE mailnode_schema SET version = %s", (len(migrations),))
    else:
        connection.execute("CREATE TABLE mailnode_schema (version BIGINT NOT NULL)")
        connection.execute("INSERT INTO mailnode_schema VALUES (%s)", (len(migrations),))
