"""
What runs while an SQLite store is started, and the order in which its parts start and stop.

Neighbours: `writer`, `readers`, `checkpoints` and `sweep` are the parts; `store` makes a machinery for each start, and
every door of the store works through it.
"""

from __future__ import annotations

from pathlib import Path

from ..watches import Watches
from .bodies import Pins
from .checkpoints import Checkpoints
from .readers import Readers
from .schema import migrate
from .sqlite import Durability, FileLock, open_checkpointer, open_reader, open_writer
from .state import WriteState
from .sweep import Sweep
from .writer import BatchLimits, IReactor, Writer


class Machinery:
    """What runs while the store is started: made anew by every start."""

    def __init__(
        self,
        path: Path,
        reactor: IReactor,
        watches: Watches,
        durability: Durability,
        limits: BatchLimits,
        reader_threads: int,
    ) -> None:
        self.running = False
        self.waiting_hints = 0
        self.pins = Pins()
        self._path, self._reactor, self._durability = path, reactor, durability
        self._lock = FileLock(path.with_name(path.name + ".lock"))
        self.writer = Writer(reactor, self._open_state, watches.tell, limits)
        self.readers = Readers(reactor, lambda: open_reader(path), reader_threads)
        self.checkpoints = Checkpoints(reactor, self.writer, lambda: open_checkpointer(path, durability))
        self.sweep = Sweep(reactor, self.writer, self.pins, self.checkpoints.soon)

    def _open_state(self) -> WriteState:
        connection = open_writer(self._path, self._durability)
        try:
            migrate(connection)
            return WriteState(connection, self._reactor.seconds, self.pins.given_up)
        except BaseException:
            connection.close(True)
            raise

    async def start(self) -> None:
        """Take the lock, open, start the threads. After a failure nothing of it is left."""
        self._lock.acquire()
        try:
            await self.writer.start()
        except BaseException:
            self._lock.release()
            raise
        self.readers.start()
        self.checkpoints.start()
        self.sweep.start()
        self.running = True

    async def stop(self) -> None:
        """End the threads, the writer last, so that its close leaves one clean file."""
        self.running = False
        self.writer.refuse()
        self.sweep.stop()
        try:
            await self.readers.stop()
            await self.checkpoints.stop()
            await self.writer.stop()
        finally:
            self._lock.release()
