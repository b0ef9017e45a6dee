"""
Reading: a few threads, each with a connection that cannot write.

Several waiting reads are done per wake-up of a thread, and their results go back in one call. A read's transaction
lasts for that one read, however slow the client whom its answer is for. Neighbours: `writer`, which alone writes.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from threading import Condition, Thread
from time import monotonic
from typing import Any, TypeVar

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from ...mail.errors import Damaged, Unavailable
from .answers import Answers
from .connection import Connection
from .engine import Engine, IReactor
from .integrity import tell_damage

T = TypeVar("T")
Read = Callable[[Connection], T]
What = str | Callable[[], str]
"""What is read, in words; asked for where it turns out to be damaged."""

# Any: a read's result is known to whoever asked.
_Asked = tuple[Read[Any], What, Deferred[Any]]

READS_PER_WAKE = 16
"""Our own bound: results of early reads wait for those of later ones in the same wake-up."""

AGAIN_SECONDS = 1.0
"""After a connection could not be had, reads fail at once for so long before the next try."""


class Readers:
    """Runs reads in threads; see the module. Its methods are called in the reactor's thread."""

    def __init__(self, reactor: IReactor, engine: Engine, threads: int = 2) -> None:
        self._reactor = reactor
        self._engine = engine
        self._answers = Answers(reactor)
        self._waiting: deque[_Asked] = deque()
        self._condition = Condition()
        self._sleeping = 0
        self._running = False
        self._threads = [
            Thread(target=self._run, name=f"mail store reader {number}", daemon=True) for number in range(threads)
        ]
        self._alive = 0
        self._stopped: Deferred[None] = Deferred()

    def start(self) -> None:
        """Start the threads."""
        self._running = True
        self._alive = len(self._threads)
        for thread in self._threads:
            thread.start()

    def stop(self) -> Deferred[None]:
        """Fail what still waits, finish what runs, close. Fires when the threads have ended."""
        if not self._running:
            if not self._stopped.called:
                self._stopped.callback(None)
            return self._stopped
        with self._condition:
            self._running = False
            waiting = list(self._waiting)
            self._waiting.clear()
            self._condition.notify_all()
        for _, _, deferred in waiting:
            deferred.errback(Failure(Unavailable("the store is stopped")))
        return self._stopped

    def read(self, read: Read[T], what: What = "something") -> Deferred[T]:
        """
        Run `read` in a transaction of its own, and in another one where its connection turns out to have ended.

        Fires with its result; cancelled before its turn, it is not run.
        """
        deferred: Deferred[T] = Deferred()
        if not self._running:
            deferred.errback(Failure(Unavailable("the store is stopped")))
            return deferred
        with self._condition:
            self._waiting.append((read, what, deferred))
            if self._sleeping:
                self._condition.notify()
        return deferred

    def _run(self) -> None:
        reader = _Reader(self._engine)
        while reads := self._take():
            results = [(deferred, reader.perform(read, what)) for read, what, deferred in reads if not deferred.called]
            self._reactor.callFromThread(self._answers.give, results)
        reader.close()
        self._reactor.callFromThread(self._ended)

    def _take(self) -> list[_Asked]:
        with self._condition:
            while not self._waiting:
                if not self._running:
                    return []
                self._sleeping += 1
                self._condition.wait()
                self._sleeping -= 1
            # The other threads get their share.
            share = max(1, len(self._waiting) // (self._sleeping + 1)) if self._sleeping else len(self._waiting)
            return [self._waiting.popleft() for _ in range(min(share, READS_PER_WAKE))]

    def _ended(self) -> None:
        self._alive -= 1
        if not self._alive:
            for thread in self._threads:
                thread.join()
            self._answers.finish()
            if not self._stopped.called:
                self._stopped.callback(None)


class _Reader:
    """One thread's connection: opened for the first read, and again after it was lost."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._connection: Connection | None = None
        self._failure: Failure | None = None
        self._again_at = 0.0

    def perform(self, read: Read[T], what: What) -> T | Failure:
        """
        Run the read. What went wrong is given back, not raised; of damage, the operator is told.

        That a connection has ended while it was not used shows in the next read: that one has a second try.
        """
        was_connected = self._connection is not None
        outcome = self._try(read)
        if was_connected and self._connection is None:
            outcome = self._try(read)
        if isinstance(outcome, Failure) and isinstance(outcome.value, Damaged):
            tell_damage(self._engine.name, what if isinstance(what, str) else what(), outcome.value)
        return outcome

    def _try(self, read: Read[T]) -> T | Failure:
        engine = self._engine
        try:
            connection = self._connection
            if connection is None:
                if self._failure is not None and monotonic() < self._again_at:
                    return self._failure
                connection = self._open()
            engine.read_begins(connection)
            try:
                return read(connection)
            finally:
                engine.read_ends(connection)
        except engine.errors as error:
            if engine.is_lost(error):
                self.close()
            return Failure(engine.failure_of(error))
        except Exception:
            return Failure()

    def _open(self) -> Connection:
        try:
            self._connection = self._engine.open_reader()
        except self._engine.errors as error:
            self._failure = Failure(self._engine.failure_of(error))
            self._again_at = monotonic() + AGAIN_SECONDS
            raise
        self._failure = None
        return self._connection

    def close(self) -> None:
        """Close the connection, if there is one."""
        connection, self._connection = self._connection, None
        if connection is not None:
            self._engine.close(connection)
