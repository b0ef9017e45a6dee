"""
Reading: a few threads, each with a connection that cannot write.

Several waiting reads are done per wake-up of a thread, and their results go back in one call. A read's transaction
lasts for that one read, however slow the client whom its answer is for. Neighbours: `writer`, which alone writes.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from threading import Condition, Thread
from typing import Any, TypeVar

import apsw
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from ...mail.errors import Unavailable
from .answers import Answers
from .sqlite import failure_of
from .writer import IReactor

T = TypeVar("T")
Read = Callable[[apsw.Connection], T]

READS_PER_WAKE = 16
"""Our own bound: results of early reads wait for those of later ones in the same wake-up."""


class Readers:
    """
    Runs reads in threads; see the module. Its methods are called in the reactor's thread.

    `open_connection` is called in each thread, once.
    """

    def __init__(self, reactor: IReactor, open_connection: Callable[[], apsw.Connection], threads: int = 2) -> None:
        self._reactor = reactor
        self._open_connection = open_connection
        self._answers = Answers(reactor)
        # Any: a read's result is known to whoever asked.
        self._waiting: deque[tuple[Read[Any], Deferred[Any]]] = deque()
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
        for _, deferred in waiting:
            deferred.errback(Failure(Unavailable("the store is stopped")))
        return self._stopped

    def read(self, read: Read[T]) -> Deferred[T]:
        """Run `read` in a transaction of its own. Fires with its result; cancelled before its turn, it is not run."""
        deferred: Deferred[T] = Deferred()
        if not self._running:
            deferred.errback(Failure(Unavailable("the store is stopped")))
            return deferred
        with self._condition:
            self._waiting.append((read, deferred))
            if self._sleeping:
                self._condition.notify()
        return deferred

    def _run(self) -> None:
        try:
            connection = self._open_connection()
        except apsw.Error as error:
            self._reactor.callFromThread(self._broken, Failure(failure_of(error)))
            return
        while reads := self._take():
            results = [(deferred, _perform(connection, read)) for read, deferred in reads if not deferred.called]
            self._reactor.callFromThread(self._answers.give, results)
        connection.close(True)
        self._reactor.callFromThread(self._ended)

    def _take(self) -> list[tuple[Read[Any], Deferred[Any]]]:
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

    def _broken(self, failure: Failure) -> None:
        self._ended()
        if self._running and not self._alive:
            self._running = False
            while self._waiting:
                self._waiting.popleft()[1].errback(failure)

    def _ended(self) -> None:
        self._alive -= 1
        if not self._alive:
            for thread in self._threads:
                thread.join()
            self._answers.finish()
            if not self._stopped.called:
                self._stopped.callback(None)


def _perform(connection: apsw.Connection, read: Read[T]) -> T | Failure:
    try:
        connection.execute("BEGIN")
        try:
            return read(connection)
        finally:
            if connection.in_transaction:
                connection.execute("COMMIT")
    except apsw.Error as error:
        return Failure(failure_of(error))
    except Exception:
        return Failure()
