"""
A copy of the SQLite file, made while the store takes mail.

Pages are copied a few at a time on the writer's own connection, between two commits. SQLite writes what a commit on
that connection changes into the copy as well, so a copy is never begun anew, and holds the moment at which its last
page was copied. No read lasts longer than a few pages do: the write-ahead log does not grow for the copy's sake,
however large the file. What was copied goes to the disk from another thread, so that no commit waits for that.

Neighbours: `checkpoints`, which works in the same gaps; `node.safekeeping` decides where a copy goes.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread
from time import monotonic

import apsw

from ....mail.errors import Damaged, MailError, PermanentFailure, TemporaryFailure
from .connection import SQLiteConnection
from .opening import failure_of, open_copy
from .page_checksums import is_damage

STEP_SECONDS = 0.003
"""How long the writer copies between two commits."""

REST_SECONDS = 0.003
"""How long it is left alone then: half of its time at the most goes into the copy."""

PAGES_AT_ONCE = 64
"""Copied without a look at the clock: 256 KiB, a fraction of a millisecond when they are at hand."""

SYNC_PAGES = 1024
"""After so many (4 MiB) the copy is synced, and the disk left to commits for as long as that took."""

Told = Callable[[int, int], None]
"""Called with how many pages were copied, and how many there are."""

Between = Callable[[Callable[[SQLiteConnection], None]], None]
"""Lets work run on the writer's connection between two commits."""


class Backup(Thread):
    """
    The thread that makes a copy at `target`, which must not exist; whole or not at all.

    `with_checksums` says that the pages have some. `ended` is called in this thread with None, or with what went wrong.
    """

    def __init__(
        self,
        between: Between,
        target: Path,
        with_checksums: bool,
        told: Told,
        ended: Callable[[Exception | None], None],
    ) -> None:
        super().__init__(name="mail store backup", daemon=True)
        self._between = between
        self._target = target
        self._with_checksums = with_checksums
        self._told = told
        self._ended = ended
        self._given_up = Event()

    def give_up(self) -> None:
        """Stop soon, and leave nothing."""
        self._given_up.set()

    def run(self) -> None:
        """See Thread."""
        failure: Exception | None = None
        try:
            copy_whole(self._target, self._with_checksums, self._copy)
        except apsw.Error as error:
            failure = _told(error, self._target)
        except OSError as error:
            failure = PermanentFailure(f"cannot write {self._target}: {error.strerror}")
        except Exception as error:  # Whatever it is, somebody waits.
            failure = error
        self._ended(failure)

    def _copy(self, made: Path, copy: SQLiteConnection) -> None:
        step = _Step(copy, self._given_up)
        synced = 0
        while not step.is_done:
            self._between(step.run)
            step.wait()
            self._told(step.copied, step.pages)
            rest = REST_SECONDS
            if step.copied - synced >= SYNC_PAGES:
                synced, began = step.copied, monotonic()
                sync_file(made)
                rest = max(rest, monotonic() - began)
            if not step.is_done:
                self._given_up.wait(rest)


def _told(error: apsw.Error, target: Path) -> MailError:
    if isinstance(error, apsw.FullError):
        return PermanentFailure(f"no space is left for {target}")
    if is_damage(error):
        return Damaged(f"the store is damaged, and cannot be copied ({error}); `mailnode verify` says where")
    return failure_of(error)


class _Step:
    """Copies a little each time that it is run, in the writer's thread."""

    def __init__(self, copy: SQLiteConnection, given_up: Event) -> None:
        self.is_done = False
        self.copied = self.pages = 0
        self._copy = copy
        self._given_up = given_up
        self._backup: apsw.Backup | None = None
        self._failure: BaseException | None = None
        self._ran = Event()

    def wait(self) -> None:
        """Until it was run. Raises what went wrong."""
        while not self._ran.wait(1.0):
            if self._given_up.is_set():
                raise TemporaryFailure("the backup was given up")
        self._ran.clear()
        if self._failure is not None:
            raise self._failure

    def run(self, writer: SQLiteConnection) -> None:
        """Copy for a while."""
        try:
            if self._given_up.is_set():
                raise TemporaryFailure("the backup was given up")
            if self._backup is None:
                self._backup = self._copy.backup("main", writer, "main")
            until = monotonic() + STEP_SECONDS
            while not self._backup.step(PAGES_AT_ONCE) and monotonic() < until:
                continue
            self.pages = self._backup.page_count
            self.copied = self.pages - self._backup.remaining
            if self._backup.done:
                self._backup.finish()
                self.is_done = True
        except Exception as error:
            # Told in the thread that makes the copy: the writer goes on.
            self._failure = error
            if self._backup is not None:
                self._backup.close(True)
        finally:
            self._ran.set()


def copy_whole(
    target: Path,
    with_checksums: bool,
    fill: Callable[[Path, SQLiteConnection], None],
    check: Callable[[Path], None] = lambda made: None,
    *,
    replace: bool = False,
) -> None:
    """
    Make a database file at `target`, filled by `fill`, durable, and there as a whole or not at all.

    `check` looks at it before it is there. `replace` says that one that is there already may be replaced.

    Raises: PermanentFailure: there is a file of that name; OSError; apsw.Error; what `fill` raises.
    """
    if target.exists() and not replace:
        raise PermanentFailure(f"{target} is there already; name another file")
    made = target.with_name(f".{target.name}.part")
    # What is left of one that was killed.
    made.unlink(missing_ok=True)
    try:
        copy = open_copy(made, with_checksums)
        try:
            fill(made, copy)
            # A file by itself, which can be read where nothing can be written beside it.
            copy.pragma("journal_mode", "DELETE")
        finally:
            copy.close(True)
        check(made)
        sync_file(made)
        os.rename(made, target)
    finally:
        for suffix in ("", "-wal", "-shm", "-journal"):
            made.with_name(made.name + suffix).unlink(missing_ok=True)
    sync_file(target.parent)


def copy_file(source: SQLiteConnection, target: Path, told: Told, *, replace: bool = False) -> None:
    """
    The same of what `source` sees now, whoever writes meanwhile. The log is kept for as long as it takes.

    Raises: as `copy_whole`.
    """

    def fill(made: Path, copy: SQLiteConnection) -> None:
        source.execute("BEGIN")
        try:
            # One moment for all of it, or another process' commit would begin it anew.
            source.one("SELECT count(*) FROM sqlite_schema")
            with copy.backup("main", source, "main") as backup:
                while not backup.step(SYNC_PAGES):
                    told(backup.page_count - backup.remaining, backup.page_count)
        finally:
            source.execute("COMMIT")

    copy_whole(target, source.checks_pages, fill, replace=replace)


def sync_file(path: Path) -> None:
    """Let what was written to a file, or the names in a folder, outlive the power."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
