"""
An empty database for every test, quickly.

A test's schema has hundreds of relations (partitions, and their indexes). Copied from a template, a database took 55
to 130 ms on a disk and 12 ms more to be dropped; TRUNCATE of everything took 110 ms; DELETE from everything 2 ms. So
one database of each kind is made and used over and over: what is in it is deleted, and the rows that its maker
left there are put back.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

import psycopg
from psycopg import sql

from .cluster import Cluster

_TABLES = """
    SELECT relname FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition ORDER BY relname
"""
_SEQUENCES = "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'S'"
_END_SESSIONS = """
    SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
    WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()
"""


class Database:
    """
    One database that can be made as it was at first.

    Its maker has done with it when this is built: what it holds now is what `reset` gives back.
    """

    def __init__(self, cluster: Cluster, name: str) -> None:
        self.cluster = cluster
        self.name = name
        with cluster.connect(name) as connection:
            self._tables = [table for (table,) in connection.execute(_TABLES)]
            self._rows = {table: rows for table in self._tables if (rows := _copied(connection, table))}
            self._numbers = {name: _number(connection, name) for (name,) in connection.execute(_SEQUENCES).fetchall()}

    @property
    def dsn(self) -> str:
        """Where it is, for psycopg."""
        return self.cluster.dsn(self.name)

    def connect(self) -> psycopg.Connection:
        """A connection that commits each statement."""
        return self.cluster.connect(self.name)

    def reset(self) -> None:
        """End every session that was left, and give the tables the content that they had at first."""
        with self.connect() as connection, connection.transaction():
            connection.execute(_END_SESSIONS)
            # Keys to other tables are not looked after meanwhile; all of them are emptied.
            connection.execute("SET LOCAL session_replication_role = replica")
            if self._tables:
                connection.execute(sql.SQL(";").join(map(_emptying, self._tables)))
            for name, number in self._numbers.items():
                connection.execute("SELECT setval(quote_ident(%s)::regclass, %s, %s)", (name, *number))
            for table, rows in self._rows.items():
                with connection.cursor().copy(sql.SQL("COPY {} FROM STDIN").format(sql.Identifier(table))) as copy:
                    copy.write(rows)


class Databases:
    """Those of one server."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self._kept: dict[str, Database] = {}
        self._numbers = count(1)

    def new(self) -> Database:
        """A database with nothing in it, not used before."""
        name = f"database_{next(self._numbers)}"
        with self.cluster.connect() as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return Database(self.cluster, name)

    def prepared(self, kind: str, prepare: Callable[[str], object]) -> Database:
        """
        A database as `prepare` leaves it, which is called with a DSN once for each `kind`.

        There is one of each kind: whoever had it before must have done with it.
        """
        if kind not in self._kept:
            empty = self.new()
            prepare(empty.dsn)
            self._kept[kind] = Database(self.cluster, empty.name)
        database = self._kept[kind]
        database.reset()
        return database


def _copied(connection: psycopg.Connection, table: str) -> bytes:
    # A partitioned table is copied by a query only.
    query = sql.SQL("COPY (SELECT * FROM {}) TO STDOUT").format(sql.Identifier(table))
    with connection.cursor().copy(query) as copy:
        return b"".join(copy)


def _number(connection: psycopg.Connection, sequence: str) -> tuple[int, bool]:
    """The number that was given last, or the one that will be the first; and whether it was given."""
    query = sql.SQL("SELECT last_value, is_called FROM {}").format(sql.Identifier(sequence))
    return connection.execute(query).fetchone()


def _emptying(table: str) -> sql.Composed:
    return sql.SQL("DELETE FROM {}").format(sql.Identifier(table))
