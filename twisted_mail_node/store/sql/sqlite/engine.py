"""SQLite as an engine: one file, one process."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path

import apsw

from ....mail.errors import TemporaryFailure
from ..connection import Connection
from ..engine import Companion, IReactor, Surroundings
from ..state import WriteState
from .checkpoints import Checkpoints
from .connection import SQLiteConnection
from .migration import migrate_safely
from .opening import Durability, FileLock, failure_of, open_checkpointer, open_reader, open_untouched, open_writer
from .page_checksums import checking_vfs

_READ_ANYWAY = frozenset({"body", "chunk"})
"""Nearly all of the file: whoever reads what is in them finds what is wrong."""


class SQLiteEngine:
    """
    See Engine. `path` is the database file; beside it lie its `-wal`, `-shm` and `.lock`.

    With `copy_first`, a file whose tables have to be changed is copied before. `on_commit` is called in the writer's
    thread after each commit with the length of the write-ahead log in pages.
    """

    errors: tuple[type[Exception], ...] = (apsw.Error,)
    staged_seconds = 3600.0
    tells_late = False

    def __init__(self, path: Path, durability: Durability, *, copy_first: bool = True) -> None:
        self.name = str(path)
        self.on_commit: Callable[[int], None] = _ignore
        self._path = path
        self._durability = durability
        self._copy_first = copy_first
        self._lock = FileLock(path.with_name(path.name + ".lock"))
        # Loaded now: who opens the file may be another user than who can read this program's.
        checking_vfs()

    def acquire(self) -> None:
        """See Engine."""
        self._lock.acquire()

    def release(self) -> None:
        """See Engine."""
        self._lock.release()

    def open_writer(self, seconds: Callable[[], float], given_up: Collection[int]) -> WriteState:
        """See Engine."""
        connection = open_writer(self._path, self._durability)
        try:
            migrate_safely(connection, self._path, copy_first=self._copy_first)
            connection.tell_wal_pages(lambda pages: self.on_commit(pages))
            return WriteState(connection, seconds, given_up)
        except BaseException:
            connection.close(True)
            raise

    def open_reader(self) -> SQLiteConnection:
        """See Engine."""
        return open_reader(self._path)

    def open_checkpointer(self) -> SQLiteConnection:
        """Open a connection for checkpoints only."""
        return open_checkpointer(self._path, self._durability)

    def read_begins(self, connection: Connection) -> None:
        """See Engine."""
        connection.find("BEGIN")

    def read_ends(self, connection: Connection) -> None:
        """See Engine."""
        assert isinstance(connection, SQLiteConnection)
        if connection.in_transaction:
            connection.execute("COMMIT")

    def close(self, connection: Connection) -> None:
        """See Engine."""
        assert isinstance(connection, SQLiteConnection)
        connection.close(True)

    def check_structure(self, connection: Connection, thorough: bool) -> Iterator[tuple[str, Sequence[str]]]:
        """See Engine. By SQLite's own check, a table at a time: the log is kept for no longer than one takes."""
        check = "integrity_check" if thorough else "quick_check"
        for (table,) in connection.every("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY rootpage"):
            if table in _READ_ANYWAY:
                continue
            try:
                problems = [row[0] for row in connection.every(f"PRAGMA {check}({table})")]
            except apsw.Error as error:
                problems = [str(error)]
            yield table, [problem for problem in problems if problem != "ok"]

    def companions(self, reactor: IReactor, around: Surroundings) -> Sequence[Companion]:
        """See Engine."""
        checkpoints = Checkpoints(reactor, around, self.open_checkpointer)
        self.on_commit = checkpoints.committed
        return (checkpoints,)

    def failure_of(self, error: Exception) -> TemporaryFailure:
        """See Engine."""
        return failure_of(error)

    def is_lost(self, error: BaseException) -> bool:
        """See Engine: a file is not lost."""
        return False

    def is_collision(self, error: BaseException) -> bool:
        """See Engine: there is one writer."""
        return False


class UntouchedEngine(SQLiteEngine):
    """The same for reading a file that nobody writes to, without leaving anything beside it."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, Durability.FULL)

    def open_reader(self) -> SQLiteConnection:
        """See Engine."""
        return open_untouched(self._path)


def _ignore(pages: int) -> None:
    """Until somebody wants to know."""
