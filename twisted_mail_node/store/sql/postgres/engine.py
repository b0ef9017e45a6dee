"""PostgreSQL as an engine: a server that several nodes may share."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from itertools import count
from uuid import uuid4

import psycopg

from ....mail.errors import PermanentFailure, TemporaryFailure
from ..connection import Connection
from ..engine import Companion, IReactor, Surroundings
from .connection import PostgresConnection
from .dialect import PARTITIONS
from .listener import Listener
from .migration import migrate
from .opening import cannot_open, check_server, connect, failure_of, is_collision, is_lost, parameters_of, place_of
from .patience import SILENT_SECONDS
from .shared import SharedState


class PostgresEngine:
    """See Engine. `dsn` is a connection string of libpq, with one host or several."""

    errors: tuple[type[Exception], ...] = (psycopg.Error,)
    staged_seconds = 86_400.0  # Another node may be receiving it: what is slower than a day is given up.
    tells_late = True

    def __init__(self, dsn: str, partitions: int = PARTITIONS) -> None:
        self._parameters = parameters_of(dsn)
        self.name = place_of(self._parameters)
        self._partitions = partitions
        self._node = uuid4().hex
        self._connections = count(1)
        self._was_open = False

    def acquire(self) -> None:
        """See Engine: nothing is this process' alone."""

    def release(self) -> None:
        """See Engine."""

    def open_writer(self, seconds: Callable[[], float], given_up: Collection[int]) -> SharedState:
        """
        See Engine.

        Raises: PermanentFailure, at the start; psycopg.Error once it was open, since trying again may help then.
        """
        try:
            connection = connect(self._parameters)
            try:
                check_server(connection)
                connection.patience = None  # To change tables may take long.
                migrate(connection, partitions=self._partitions)
                connection.patience = SILENT_SECONDS
                name = f"{self._node}.{next(self._connections)}"
                state = SharedState(PostgresConnection(connection), seconds, given_up, self._node, name)
            except BaseException:
                connection.close()
                raise
        except psycopg.Error as error:
            if self._was_open:
                raise
            raise cannot_open(self.name, error) from error
        except PermanentFailure as failure:
            if self._was_open:
                raise psycopg.OperationalError(failure.text) from failure
            raise
        self._was_open = True
        return state

    def open_reader(self) -> PostgresConnection:
        """See Engine."""
        return PostgresConnection(connect(self._parameters))

    def read_begins(self, connection: Connection) -> None:
        """See Engine."""
        assert isinstance(connection, PostgresConnection)
        connection.begin("ISOLATION LEVEL REPEATABLE READ, READ ONLY")

    def read_ends(self, connection: Connection) -> None:
        """See Engine."""
        assert isinstance(connection, PostgresConnection)
        try:
            connection.commit()
        except psycopg.Error:
            connection.rollback()

    def close(self, connection: Connection) -> None:
        """See Engine."""
        assert isinstance(connection, PostgresConnection)
        connection.close()

    def check_structure(self, connection: Connection, thorough: bool) -> Iterator[tuple[str, Sequence[str]]]:
        """See Engine: `pg_amcheck` does it, as the server's administrator."""
        return iter(())

    def companions(self, reactor: IReactor, around: Surroundings) -> Sequence[Companion]:
        """See Engine."""
        return (Listener(reactor, around, self._node, lambda: connect(self._parameters)),)

    def failure_of(self, error: Exception) -> TemporaryFailure:
        """See Engine."""
        return failure_of(error)

    def is_lost(self, error: BaseException) -> bool:
        """See Engine."""
        return is_lost(error)

    def is_collision(self, error: BaseException) -> bool:
        """See Engine."""
        return is_collision(error)
