"""
An SQLite connection as `store.sql.connection` wants it.

Everything is made so that SQLite works in one step with the interpreter lock released: numbers and texts of all rows
come back as one JSON array a column, octets as one string cut by lengths. A step per row would take the lock back
for every row, which costs several times more, and far more while the reactor is busy.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from json import loads
from typing import Any

import apsw

from ....mail.uid_set import EMPTY, UIDSet
from ..connection import Bindings, Row, Selection, Value

VACUUM_PAGES = 256
FREE_SHARE = 4
"""Free pages are given back to the file system when they are more than one in this many."""

_WORDS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"\b(?:numbers|texts)_in\("), "json_each("),
    (re.compile(r"\bruns_in\((\?|:\w+)\)"), r"(SELECT value ->> 0 AS first, value ->> 1 AS last FROM json_each(\1))"),
    (re.compile(r"\brandom_guid\(\)"), "randomblob(16)"),
    (re.compile(r"\bhex_of\(([\w.]+)\)"), r"lower(hex(\1))"),
    (re.compile(r"\bplace_in\("), "instr("),
    (re.compile(r"\bjoined_octets\(([\w.]+)\)"), r"CAST(group_concat(\1, '') AS BLOB)"),
    (re.compile(r" FOR UPDATE(?: SKIP LOCKED)?\b"), ""),
)


@lru_cache(maxsize=1024)
def sql(statement: str) -> str:
    """The statement in SQLite's words."""
    for word, own in _WORDS:
        statement = word.sub(own, statement)
    return statement


class SQLiteConnection(apsw.Connection):
    """
    A connection for reading or for writing: what it may do, `opening` decides.

    `wal_pages` is called with the length of the write-ahead log after each commit.
    """

    _checks_pages: bool | None = None

    def every(self, statement: str, bindings: Bindings = ()) -> list[Row]:
        """See Connection."""
        return self.execute(sql(statement), bindings).fetchall()

    def find(self, statement: str, bindings: Bindings = ()) -> Row | None:
        """See Connection."""
        return self.execute(sql(statement), bindings).fetchone()

    def one(self, statement: str, bindings: Bindings = ()) -> Row:
        """See Connection."""
        row: Row | None = self.execute(sql(statement), bindings).fetchone()
        assert row is not None
        return row

    def columns(self, selection: Selection, bindings: Bindings) -> list[list[Any]]:
        """See Connection."""
        cells = iter(self.one(_in_columns(selection), bindings))
        found: list[list[Any]] = [loads(next(cells)) for _ in selection.values]
        found += [_cut(next(cells), next(cells)) for _ in selection.octets]
        return found

    def uid_set(self, query: str, bindings: Bindings) -> UIDSet:
        """See Connection. The runs are found inside of SQLite."""
        befores, firsts = map(loads, self.one(_BOUNDARIES.format(uids=query), bindings))
        if not firsts:
            return EMPTY
        last = self.one(f"SELECT max(uid) FROM ({query})", bindings)[0]
        return UIDSet(zip(firsts, [*befores[1:], last], strict=True))

    @property
    def checks_pages(self) -> bool:
        """See Connection: by `page_checksums`."""
        if self._checks_pages is None:
            self._checks_pages = self.pragma("checksum_verification") == "1"
        return self._checks_pages

    def part_of_body(self, body: int, start: int, length: int) -> bytes | None:
        """See Connection."""
        try:
            blob = self.blob_open("main", "body", "content", body, False)
        except apsw.SQLError:
            return None
        try:
            blob.seek(start)
            return bytes(blob.read(length))
        finally:
            blob.close(True)

    # -- for the writer --------------------------------------------------------------------------------------

    def run(self, statement: str, bindings: Bindings = ()) -> int:
        """See WritingConnection."""
        self.execute(sql(statement), bindings)
        return self.changes()

    def run_many(self, statement: str, rows: Sequence[Sequence[Value]]) -> None:
        """See WritingConnection."""
        self.executemany(sql(statement), rows)

    def check(self) -> None:
        """See WritingConnection: whatever went wrong was raised."""

    def begin(self) -> None:
        """See WritingConnection."""
        self.execute("BEGIN IMMEDIATE")

    def commit(self) -> None:
        """See WritingConnection."""
        self.execute("COMMIT")

    def rollback(self) -> None:
        """See WritingConnection."""
        if self.in_transaction:
            self.execute("ROLLBACK")

    def save(self) -> None:
        """See WritingConnection."""
        self.execute("SAVEPOINT part")

    def keep(self) -> None:
        """See WritingConnection."""
        self.execute("RELEASE part")

    def undo(self) -> None:
        """See WritingConnection."""
        self.execute("ROLLBACK TO part")
        self.execute("RELEASE part")

    def give_space_back(self) -> bool:
        """See WritingConnection."""
        free, pages = int(self.pragma("freelist_count")), int(self.pragma("page_count"))
        if free < VACUUM_PAGES or free * FREE_SHARE < pages:
            return False
        self.execute(f"PRAGMA incremental_vacuum({VACUUM_PAGES})").fetchall()
        return True

    def may_sweep(self) -> bool:
        """See WritingConnection: one process has the file."""
        return True

    def let_others_end(self) -> None:
        """See WritingConnection: with its process ends what it has under way."""

    def tell_wal_pages(self, listener: Callable[[int], None]) -> None:
        """Call `listener` after each commit with the number of pages in the write-ahead log."""

        def committed(connection: apsw.Connection, name: str, pages: int) -> int:
            listener(pages)
            return apsw.SQLITE_OK

        self.set_wal_hook(committed)


# Only where a run begins is there a row: (the last UID of the run before, the first of this one).
_BOUNDARIES = (
    "SELECT json_group_array(before), json_group_array(uid) FROM (SELECT before, uid FROM ("
    "SELECT uid, lag(uid) OVER (ORDER BY uid) AS before FROM ({uids})) WHERE before IS NULL OR uid <> before + 1)"
)


@lru_cache(maxsize=512)
def _in_columns(selection: Selection) -> str:
    values, octets, source = selection.values, selection.octets, selection.source
    if selection.limit is not None or selection.sort:
        # Such rows are chosen first, and gathered then.
        names = [f"c{position}" for position in range(len(values) + 2 * len(octets))]
        expressions = [*values, *(one for pair in octets for one in pair)]
        named = ", ".join(f"{expression} AS {name}" for expression, name in zip(expressions, names, strict=True))
        order = " ORDER BY c0" if selection.sort else ""
        limit = "" if selection.limit is None else f" LIMIT {selection.limit}"
        source = f"(SELECT {named} FROM {source}{order}{limit})"
        values = tuple(names[: len(values)])
        octets = tuple(zip(names[len(values) :: 2], names[len(values) + 1 :: 2], strict=True))
    columns = [f"json_group_array({value})" for value in values]
    for content, length in octets:
        # Joined as they are; what has no value joins as nothing.
        columns += [f"CAST(group_concat({content}, '') AS BLOB)", f"json_group_array({length})"]
    return f"SELECT {', '.join(columns)} FROM {source}"


def _cut(joined: bytes | None, lengths: str) -> list[bytes | None]:
    pieces: list[bytes | None] = []
    at = 0
    for length in loads(lengths):
        if length is None:
            pieces.append(None)
        else:
            pieces.append((joined or b"")[at : at + length])
            at += length
    return pieces
