"""The connection that verifying reads by, and the moments in which it does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from ..connection import Bindings, Connection, Row
from ..engine import Engine


class Moments:
    """
    Reads in moments: what is read within one belongs together, and none lasts long.

    `errors` are what the engine raises; where a row lies in a damaged page, reading it raises one.
    """

    def __init__(self, engine: Engine, connection: Connection) -> None:
        self.errors = engine.errors
        self._engine = engine
        self._connection = connection

    @contextmanager
    def one(self) -> Iterator[Connection]:
        """A moment."""
        self._engine.read_begins(self._connection)
        try:
            yield self._connection
        finally:
            self._engine.read_ends(self._connection)

    def rows(self, statement: str, bindings: Bindings = ()) -> list[Row]:
        """The rows of one statement, in a moment of its own."""
        with self.one() as connection:
            return connection.every(statement, bindings)

    def slices(self, statement: str, first: Sequence[int], size: int) -> Iterator[list[Row]]:
        """
        The rows of a statement that goes by a key, slice after slice.

        It takes the key behind which it goes on, then how many rows it gives; its first columns are the key.
        """
        after = tuple(first)
        while rows := self.rows(statement, (*after, size)):
            yield rows
            after = rows[-1][: len(after)]
            if len(rows) < size:
                return
