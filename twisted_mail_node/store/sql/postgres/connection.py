"""
A PostgreSQL connection as `store.sql.connection` wants it, by psycopg.

The writer's statements are pipelined: what needs no answer is sent with what comes after it. A batch of deliveries is
two round trips, one to lock and read what it changes and one for all that is written, the commit among it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg.abc import Buffer
from psycopg.pq import TransactionStatus
from psycopg.types.numeric import Int8BinaryDumper
from psycopg.types.string import StrDumperUnknown

from ....mail.uid_set import UIDSet
from ..connection import Bindings, Row, Selection, Value
from .dialect import in_rows, sql, uid_runs

PREPARED_STATEMENTS = 500
"""Kept by the server for a connection: more than this room has."""

OUTCOME_SECONDS = 10
"""How long is waited for the end of another connection's transaction at a time."""

SWEEP_LOCK = 0x744D_4E02
"""The number of the advisory lock that the node has that sweeps; its kin are in `migration`."""

Statement = tuple[str, Bindings]


class _TextDumper(StrDumperUnknown):
    """A text of PostgreSQL has no NUL: what has one is kept, and looked for, with U+FFFD in its place."""

    def dump(self, obj: str) -> Buffer | None:
        return super().dump(obj.replace("\0", "\ufffd") if "\0" in obj else obj)


def prepare(connection: psycopg.Connection[Any]) -> None:
    """What all connections have in common."""
    connection.prepare_threshold = 0
    connection.prepared_max = PREPARED_STATEMENTS
    # One type for all numbers, or the same statement would be prepared for each width.
    connection.adapters.register_dumper(int, Int8BinaryDumper)
    connection.adapters.register_dumper(str, _TextDumper)


class PostgresConnection:
    """A connection for reading or for writing: what it may do, `engine` decides. It is in autocommit mode."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self.raw = connection
        self._pipeline: Any = None
        self._pipelines: Any = None
        self._begun = False
        self._checks_pages: bool | None = None
        self._sweeps = False

    # -- statements ------------------------------------------------------------------------------------------

    def _execute(self, statement: str, bindings: Bindings = ()) -> psycopg.Cursor[Any]:
        cursor = self.raw.cursor(binary=True)
        cursor.execute(statement, bindings)
        return cursor

    def _control(self, statement: str) -> None:
        """Send a statement about the transaction: not worth preparing."""
        self.raw.cursor().execute(statement, prepare=False)

    def every(self, statement: str, bindings: Bindings = ()) -> list[Row]:
        """See Connection."""
        return self._execute(sql(statement), bindings).fetchall()

    def find(self, statement: str, bindings: Bindings = ()) -> Row | None:
        """See Connection."""
        found: Row | None = self._execute(sql(statement), bindings).fetchone()
        return found

    def one(self, statement: str, bindings: Bindings = ()) -> Row:
        """See Connection."""
        row = self.find(statement, bindings)
        assert row is not None
        return row

    def all_of(self, statements: Sequence[Statement]) -> list[list[Row]]:
        """The rows of several statements, in one round trip where they are pipelined."""
        cursors = [self._execute(sql(statement), bindings) for statement, bindings in statements]
        return [cursor.fetchall() for cursor in cursors]

    def columns(self, selection: Selection, bindings: Bindings) -> list[list[Any]]:
        """See Connection."""
        rows = self._execute(in_rows(selection), bindings).fetchall()
        if not rows:
            return [[] for _ in range(len(selection.values) + len(selection.octets))]
        return [list(column) for column in zip(*rows, strict=True)]

    def uid_set(self, query: str, bindings: Bindings) -> UIDSet:
        """See Connection. The runs are found by the server."""
        return UIDSet.of_runs(self._execute(uid_runs(query), bindings).fetchall())

    @property
    def checks_pages(self) -> bool:
        """See Connection: where the cluster was made with `initdb --data-checksums`."""
        if self._checks_pages is None:
            self._checks_pages = self.one("SELECT current_setting('data_checksums') = 'on'")[0]
        return bool(self._checks_pages)

    def part_of_body(self, body: int, start: int, length: int) -> bytes | None:
        """See Connection."""
        row = self.find(
            "SELECT substr(content, CAST(? AS INTEGER), CAST(? AS INTEGER)) FROM body WHERE body = ?",
            (start + 1, length, body),
        )
        return None if row is None else row[0]

    # -- for the writer --------------------------------------------------------------------------------------

    def run(self, statement: str, bindings: Bindings = ()) -> int:
        """See WritingConnection."""
        cursor = self._execute(sql(statement), bindings)
        self.check()
        return cursor.rowcount

    def run_many(self, statement: str, rows: Sequence[Sequence[Value]]) -> None:
        """See WritingConnection."""
        if rows:
            self.raw.cursor(binary=True).executemany(sql(statement), rows)

    def check(self) -> None:
        """See WritingConnection."""
        if self._pipeline is not None:
            self._pipeline.sync()

    @property
    def in_transaction(self) -> bool:
        """See WritingConnection."""
        return self._begun

    def begin(self, characteristics: str = "ISOLATION LEVEL READ COMMITTED") -> None:
        """See WritingConnection."""
        self._pipelines = self.raw.pipeline()
        self._pipeline = self._pipelines.__enter__()
        self._control(f"BEGIN {characteristics}")
        self._begun = True

    def commit(self) -> None:
        """See WritingConnection."""
        self._control("COMMIT")
        self._end_pipeline()
        self._begun = False

    def rollback(self) -> None:
        """See WritingConnection."""
        try:
            self._end_pipeline()
        except psycopg.Error:
            if self.raw.closed:
                raise
        self._begun = False
        if self.raw.info.transaction_status != TransactionStatus.IDLE:
            self._control("ROLLBACK")

    def _end_pipeline(self) -> None:
        pipelines, self._pipelines, self._pipeline = self._pipelines, None, None
        if pipelines is not None:
            pipelines.__exit__(None, None, None)

    def save(self) -> None:
        """See WritingConnection."""
        self._control("SAVEPOINT part")

    def keep(self) -> None:
        """See WritingConnection."""
        self._control("RELEASE part")

    def undo(self) -> None:
        """See WritingConnection."""
        try:
            self.check()
        except psycopg.Error:
            if self.raw.closed:
                raise
        self._control("ROLLBACK TO part")
        # psycopg deallocates what it has prepared when it reads of a rollback: before anything else is prepared.
        self.check()
        self._control("RELEASE part")

    def give_space_back(self) -> bool:
        """See WritingConnection: the server's own vacuum does it."""
        return False

    def may_sweep(self) -> bool:
        """See WritingConnection. Who has begun to sweep does so until its connection ends."""
        self._sweeps = self._sweeps or bool(self.one("SELECT pg_try_advisory_lock(?)", (SWEEP_LOCK,))[0])
        return self._sweeps

    def let_others_end(self) -> None:
        """See WritingConnection. Each has its row of `node` locked; one after the other, so that none waits for us."""
        for (name,) in self.raw.execute("SELECT name FROM node ORDER BY name").fetchall():
            with self.raw.transaction():
                self.raw.execute(f"SET LOCAL lock_timeout = '{OUTCOME_SECONDS}s'")
                self.raw.execute("SELECT 1 FROM node WHERE name = %s FOR SHARE", (name,))

    def close(self) -> None:
        """See WritingConnection."""
        self.raw.close()
