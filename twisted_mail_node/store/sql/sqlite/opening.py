"""
Opening the SQLite file: its lock, its mode, and the settings of each connection.

One process owns the file while it is open. Neighbours: `engine`, which opens connections for the writer, the readers
and `checkpoints`.
"""

from __future__ import annotations

import fcntl
import os
from enum import Enum
from pathlib import Path

import apsw

from ....mail.errors import Damaged, PermanentFailure, TemporaryFailure
from ....mail.status import EnhancedStatus
from .connection import SQLiteConnection
from .page_checksums import RESERVED_OCTETS, checking_vfs, is_damage

PAGE_SIZE_OCTETS = 4096
"""Set at creation. A 4 KB body then fills one overflow page, and a change in one account dirties little."""

BUSY_TIMEOUT_MILLISECONDS = 10_000
STATEMENT_CACHE = 256
WRITER_CACHE_KIBIBYTES = 32 * 1024
READER_CACHE_KIBIBYTES = 8 * 1024
COPY_CACHE_KIBIBYTES = 1024
JOURNAL_SIZE_LIMIT_OCTETS = 64 * 1024 * 1024
_INCREMENTAL = 2


class Durability(Enum):
    """How much a commit waits for: FULL survives the power, NORMAL the program only, OFF nothing (tests)."""

    FULL = "FULL"
    NORMAL = "NORMAL"
    OFF = "OFF"


class FileLock:
    """The sign that a process has the file open; ends with the process, whatever its end."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """Take it. Raises PermanentFailure where another store has it, or the folder can't be written to."""
        try:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise PermanentFailure(f"cannot open {self._path}: {error.strerror}") from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip()
            os.close(descriptor)
            by = f"process {holder}" if holder else "another process"
            raise PermanentFailure(f"{self._path.with_suffix('')} is in use by {by}; stop that one first") from error
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, b"%d\n" % os.getpid(), 0)
        self._descriptor = descriptor

    def release(self) -> None:
        """Give it back; may be called more than once. The file stays: removing it would let two have one lock."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def open_writer(path: Path, durability: Durability) -> SQLiteConnection:
    """
    Open for writing, making the file (mode 0600) where there is none.

    Raises: PermanentFailure: not an SQLite file, or no access.
    """
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        connection = _connect(path)
    except OSError as error:
        raise PermanentFailure(f"cannot open {path}: {error.strerror}") from error
    except apsw.Error as error:
        raise cannot_open(path, error) from error
    try:
        if connection.open_vfs == checking_vfs() and not path.stat().st_size:
            connection.reserve_bytes(reserve=RESERVED_OCTETS)
        # Page size and vacuum are settled by the first write; later they change nothing.
        connection.pragma("page_size", PAGE_SIZE_OCTETS)
        connection.pragma("auto_vacuum", _INCREMENTAL)
        connection.pragma("journal_mode", "WAL")
        connection.pragma("synchronous", durability.value)
        connection.pragma("cache_size", -WRITER_CACHE_KIBIBYTES)
        connection.pragma("journal_size_limit", JOURNAL_SIZE_LIMIT_OCTETS)
        connection.pragma("temp_store", "MEMORY")
        unchecked = connection.reserve_bytes() == RESERVED_OCTETS and not connection.checks_pages
    except apsw.Error as error:
        connection.close()
        raise cannot_open(path, error) from error
    if unchecked:
        connection.close()
        raise PermanentFailure(
            f"the pages of {path} have checksums, which this apsw cannot keep; install apsw from its wheel"
        )
    return connection


def cannot_open(path: Path, error: apsw.Error) -> PermanentFailure:
    """What is told of a file that cannot be worked with, and what to do about it."""
    if isinstance(error, apsw.NotADBError):
        return PermanentFailure(f"{path} is not an SQLite database; move it away")
    if is_damage(error):
        return PermanentFailure(
            f"{path} is damaged ({error}); restore a backup (`mailnode restore`), or try `sqlite3 {path} .recover`"
        )
    return PermanentFailure(f"cannot open {path}: {error}")


def open_reader(path: Path) -> SQLiteConnection:
    """Open a connection that refuses to write. The file is there and in WAL mode already."""
    connection = _connect(path)
    connection.pragma("query_only", 1)
    connection.pragma("cache_size", -READER_CACHE_KIBIBYTES)
    connection.pragma("temp_store", "MEMORY")
    return connection


def open_checkpointer(path: Path, durability: Durability) -> SQLiteConnection:
    """Open a connection for checkpoints only."""
    connection = _connect(path)
    connection.pragma("synchronous", durability.value)
    return connection


def open_copy(path: Path, with_checksums: bool) -> SQLiteConnection:
    """
    Make a file (mode 0600) to copy a database into. It is not durable before it is closed and synced.

    `with_checksums`: whether the pages of the database have some.
    """
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    connection = _connect(path)
    connection.pragma("journal_mode", "OFF")
    connection.pragma("synchronous", "OFF")
    connection.pragma("cache_size", -COPY_CACHE_KIBIBYTES)
    if with_checksums:
        connection.reserve_bytes(reserve=RESERVED_OCTETS)
        connection.pragma("page_size", PAGE_SIZE_OCTETS)
        # The first page has to be there: by it, checksums are made for those that are written after it.
        connection.pragma("user_version", 1)
    return connection


def open_untouched(path: Path) -> SQLiteConnection:
    """
    Open a file that nobody writes to, without leaving anything beside it.

    Raises: PermanentFailure: not an SQLite file, or no access.
    """
    flags = apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI
    try:
        return SQLiteConnection(f"{path.absolute().as_uri()}?immutable=1", flags=flags, vfs=checking_vfs())
    except apsw.Error as error:
        raise cannot_open(path, error) from error


def _connect(path: Path) -> SQLiteConnection:
    connection = SQLiteConnection(
        str(path),
        flags=apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_NOMUTEX,
        vfs=checking_vfs(),
        statementcachesize=STATEMENT_CACHE,
    )
    connection.set_busy_timeout(BUSY_TIMEOUT_MILLISECONDS)
    connection.wal_autocheckpoint(0)
    return connection


def failure_of(error: Exception) -> TemporaryFailure:
    """What a door says of a failure of the database; the cause is kept for the log."""
    if isinstance(error, apsw.FullError):
        failure = TemporaryFailure("the storage is full", EnhancedStatus(4, 3, 1))
    elif is_damage(error):
        failure = Damaged("the storage is damaged")
    else:
        failure = TemporaryFailure("the storage failed")
    failure.__cause__ = error
    return failure
