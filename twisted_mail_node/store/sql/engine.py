"""
Which database it is: what the rest of this room needs of an engine beyond its connections.

Neighbours: `connection` for what statements are run on; `sqlite` and `postgres` each have an engine; `machinery` runs
the rooms' threads on one.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Protocol

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorFromThreads, IReactorTime

from ...mail.changes import ChangeNotice
from ...mail.errors import TemporaryFailure
from .connection import Connection, WritingConnection
from .state import WriteState


class IReactor(IReactorFromThreads, IReactorTime):
    """What the store asks of a reactor: its clock, and calls from threads."""


class Companion(Protocol):
    """A thread that an engine has running beside writer and readers."""

    def swept(self) -> None:
        """A round of sweeping has ended. In the reactor's thread."""

    def start(self) -> Deferred[None]:
        """Start it; the database is open. Fires when it does its work, or has found that it can't for now."""

    def stop(self) -> Deferred[None]:
        """Fires when it has ended. The writer still runs."""


class Surroundings(Protocol):
    """What an engine's companions may do to the store around them. From any thread."""

    def between_commits(self, work: Callable[[WritingConnection], None]) -> None:
        """Let short work that wants no transaction run on the writer's connection."""

    def tell(self, notices: Sequence[ChangeNotice], queue_grew: bool, users_changed: bool) -> None:
        """Others have committed changes: tell of them here."""

    def watched(self) -> Sequence[str]:
        """The names of the accounts whose changes somebody here would be told."""


class Engine(Protocol):
    """
    A database, open or not.

    Attributes:
        errors: what its connections raise for its own failures.
        name: where it is, for messages.
        staged_seconds: how old a body may become that is being received.
        tells_late: whether statements run together may fail only later, so that which of them failed is found out by
            running them one by one.
    """

    errors: tuple[type[Exception], ...]
    name: str
    staged_seconds: float
    tells_late: bool

    def acquire(self) -> None:
        """Take what one process alone may have. Raises PermanentFailure, naming the remedy."""

    def release(self) -> None:
        """Give it back; may be called more than once."""

    def open_writer(self, seconds: Callable[[], float], given_up: Collection[int]) -> WriteState:
        """
        Open the writer's connection, making or migrating the tables where needed. In the writer's thread.

        Raises: PermanentFailure, naming the remedy.
        """

    def open_reader(self) -> Connection:
        """Open a connection for a reader, in its thread."""

    def read_begins(self, connection: Connection) -> None:
        """From now on the connection sees one moment."""

    def read_ends(self, connection: Connection) -> None:
        """Until now."""

    def close(self, connection: Connection) -> None:
        """Close a reader's connection."""

    def check_structure(self, connection: Connection, thorough: bool) -> Iterator[tuple[str, Sequence[str]]]:
        """
        Look for damage in the database's own structure, as far as that is ours to do: a table and what is wrong with
        it, table after table. Not `thorough`: what takes long is left out. What lies in bodies is not looked at.
        """

    def companions(self, reactor: IReactor, around: Surroundings) -> Sequence[Companion]:
        """What runs beside writer and readers, not started."""

    def failure_of(self, error: Exception) -> TemporaryFailure:
        """What a door says of one of `errors`; the cause is kept for the log."""

    def is_lost(self, error: BaseException) -> bool:
        """Whether the error means that the connection is gone and a new one may be had."""

    def is_collision(self, error: BaseException) -> bool:
        """Whether two transactions got in each other's way, so that the same may succeed when it is tried again."""
