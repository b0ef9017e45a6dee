"""
Moving the write-ahead log into the database file, off the writer's thread.

A passive checkpoint waits for nobody. While mail keeps coming, there is always something newer than what it moved,
and the log could grow for ever; past RESTART_PAGES the writer itself moves the little that is left, between two
commits, so that the next commit begins the log anew. Where reads overlap without end, one of them always needs the
log; past INSIST_PAGES the writer waits for those that run (later ones do not need it any more).
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Event, Thread
from time import monotonic

import apsw
from twisted.internet.defer import Deferred, succeed
from twisted.logger import Logger

from ..connection import WritingConnection
from ..engine import IReactor, Surroundings
from .connection import SQLiteConnection
from .opening import BUSY_TIMEOUT_MILLISECONDS

CHECKPOINT_PAGES = 4_000
"""Our own choice, 16 MiB: often enough for a short recovery, seldom enough that pages written often are moved once."""

RESTART_PAGES = 16_000
"""Our own choice, 64 MiB."""

INSIST_PAGES = 32_000
"""Our own choice, 128 MiB."""

INSIST_MILLISECONDS = 1000
"""How long commits wait then: longer than a read of ours takes. Who still reads after that is another program."""

INSIST_AGAIN_SECONDS = 30.0
"""When that was in vain, deliveries go on, and are not held up again for so long."""

PATIENCE_SECONDS = 10.0
"""How long a busy (or dead) writer is waited for."""


class Checkpoints:
    """The checkpointing thread. See Companion. `open_connection` is called in it."""

    _log = Logger()

    def __init__(
        self, reactor: IReactor, around: Surroundings, open_connection: Callable[[], SQLiteConnection]
    ) -> None:
        self._reactor = reactor
        self._open_connection = open_connection
        self._around = around
        self._wake = Event()
        self._running = False
        self._insisted_in_vain = float("-inf")
        self._thread = Thread(target=self._run, name="mail store checkpoints", daemon=True)
        self._stopped: Deferred[None] = Deferred()

    def start(self) -> Deferred[None]:
        """See Companion."""
        self._running = True
        self._thread.start()
        return succeed(None)

    def swept(self) -> None:
        """See Companion: make a checkpoint, however short the log is."""
        self._wake.set()

    def stop(self) -> Deferred[None]:
        """Fires when the thread has ended."""
        if not self._running:
            self._stopped.callback(None)
            return self._stopped
        self._running = False
        self._wake.set()
        return self._stopped

    def committed(self, wal_pages: int) -> None:
        """A commit has left a write-ahead log of this length. In the writer's thread."""
        if wal_pages >= CHECKPOINT_PAGES:
            self._wake.set()

    def _run(self) -> None:
        try:
            connection = self._open_connection()
            while self._wake.wait() and self._running:
                self._wake.clear()
                self._checkpoint(connection)
            connection.close(True)
        except apsw.Error:
            self._log.failure("checkpoints have ended; the write-ahead log will grow")
        self._reactor.callFromThread(self._ended)

    def _checkpoint(self, connection: SQLiteConnection) -> None:
        try:
            pages, _ = connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
        except apsw.Error as error:
            self._log.error("a checkpoint failed: {error}", error=error)
            return
        if pages >= RESTART_PAGES:
            finished = Event()
            insist = pages >= INSIST_PAGES and monotonic() - self._insisted_in_vain > INSIST_AGAIN_SECONDS
            self._around.between_commits(lambda connection: self._finish(connection, insist, finished))
            # Two checkpoints at once would be in each other's way.
            finished.wait(PATIENCE_SECONDS)

    def _finish(self, connection: WritingConnection, insist: bool, finished: Event) -> None:
        """In the writer's thread."""
        assert isinstance(connection, SQLiteConnection)
        try:
            if not insist:
                connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
                return
            connection.set_busy_timeout(INSIST_MILLISECONDS)
            try:
                connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_RESTART)
            except apsw.BusyError:
                self._insisted_in_vain = monotonic()
                self._log.warn("the write-ahead log cannot be begun anew: something has read for too long")
            finally:
                connection.set_busy_timeout(BUSY_TIMEOUT_MILLISECONDS)
        finally:
            finished.set()

    def _ended(self) -> None:
        self._thread.join()
        self._stopped.callback(None)
