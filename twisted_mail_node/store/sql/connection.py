"""
What the statements of this room are run on: a connection to a database, whichever engine it is.

The statements are written once, in the SQL that SQLite and PostgreSQL have in common, with `?` and `:name` for values
that are bound. Where they differ, a statement uses one of these words, which each engine's connection replaces:

    IN (SELECT value FROM numbers_in(?))   one of the integers of a JSON array; NOT IN: none of them
    IN (SELECT value FROM texts_in(?))     the same of texts
    runs_in(?)            rows (first, last): the pairs of a JSON array of pairs of integers
    random_guid()         16 octets of chance
    hex_of(octets)        them as hexadecimal digits in lower case
    place_in(text, part)  where in the text the part begins, 0 where it does not
    joined_octets(octets) an aggregate: the octets of all rows in one
    INDEXED BY name       the index to take: only for an engine that needs to be told
    CROSS JOIN … ON       a join whose left side leads, however few or many rows there seem to be
    FOR UPDATE            the rows stay locked until the commit: only where others write as well

Neighbours: `engine` for how connections are opened; `sqlite` and `postgres` have one each.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from ...mail.uid_set import UIDSet

Value = int | float | str | bytes | None
Bindings = Sequence[Value] | Mapping[str, Value]
# Any: what a column holds is known where the statement is.
Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Selection:
    """
    Columns that are wanted of many rows.

    `values` are SQL expressions for numbers and texts, the first of them the one by which rows ascend; `octets` are
    pairs of an expression for octets and one for their length (NULL where they are). `source` is FROM and WHERE;
    with `sort` its rows do not come in ascending order by themselves where an engine reads along an index. At most
    `limit` rows, the first, where it is not None.
    """

    values: tuple[str, ...]
    source: str
    octets: tuple[tuple[str, str], ...] = ()
    limit: int | None = None
    sort: bool = False


class Connection(Protocol):
    """A connection for reading; used by one thread."""

    def every(self, statement: str, bindings: Bindings = ()) -> list[Row]:
        """All rows."""

    def find(self, statement: str, bindings: Bindings = ()) -> Row | None:
        """The first row, or None."""

    def one(self, statement: str, bindings: Bindings = ()) -> Row:
        """The row of a statement that always has one."""

    def columns(self, selection: Selection, bindings: Bindings) -> list[list[Any]]:
        """The columns, `values` first. Made for many rows: their number costs the interpreter little."""

    def uid_set(self, query: str, bindings: Bindings) -> UIDSet:
        """The UIDs that a query gives in its one column `uid`, each once."""

    @property
    def checks_pages(self) -> bool:
        """Whether the database checks every page that it reads, so that no damage goes unseen."""

    def part_of_body(self, body: int, start: int, length: int) -> bytes | None:
        """Octets of a body that is kept in one piece, without reading the rest; None where it is gone."""


class WritingConnection(Connection, Protocol):
    """The writer's connection."""

    def run(self, statement: str, bindings: Bindings = ()) -> int:
        """Run a statement that changes rows. Returns how many."""

    def run_many(self, statement: str, rows: Sequence[Sequence[Value]]) -> None:
        """Run it once for each row of values. What goes wrong may be raised as late as by `check`."""

    def check(self) -> None:
        """Raises: what went wrong with statements that were sent and not waited for."""

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open."""

    def begin(self) -> None:
        """Begin a transaction."""

    def commit(self) -> None:
        """Commit it: durable when this returns."""

    def rollback(self) -> None:
        """Undo it."""

    def save(self) -> None:
        """Begin a part of the transaction that can be undone alone. One at a time."""

    def keep(self) -> None:
        """End the part: it is as the rest of the transaction."""

    def undo(self) -> None:
        """Undo the part, and end it."""

    def give_space_back(self) -> bool:
        """Give some free space back to the file system. Whether there may be more. For idle moments."""

    def may_sweep(self) -> bool:
        """Whether it is this node that sweeps: several may want to."""

    def let_others_end(self) -> None:
        """
        Wait for the end of what other writers have under way: one that was killed may have said COMMIT before. Outside
        of a transaction.

        Raises: an error of the engine's: some have not ended within its patience.
        """

    def close(self) -> None:
        """Close it; may be called more than once."""
