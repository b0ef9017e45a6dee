"""Threads for looking at folders, so that a large or a slow one keeps neither the reactor nor deliveries waiting."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from twisted.internet.defer import Deferred, fail
from twisted.internet.interfaces import IReactorFromThreads
from twisted.python.failure import Failure

from ....mail.errors import Unavailable

P = ParamSpec("P")
T = TypeVar("T")

THREADS = 2
"""One may list a large folder while others look at small ones. What is listed is kept in memory meanwhile."""


class LookingThreads:
    """See the module."""

    def __init__(self, reactor: IReactorFromThreads) -> None:
        self._reactor = reactor
        self._stopped = False
        self._pool = ThreadPoolExecutor(THREADS, "mail store folders")

    def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Deferred[T]:
        """
        Run it in a thread. Fires with its result, fails with what it raises; cancelling gives the answer up.

        Fails also with Unavailable: the threads have ended.
        """
        deferred: Deferred[T] = Deferred()
        if self._stopped:
            return fail(Unavailable("the store is stopped"))

        def done(future: Future[T]) -> None:
            error = future.exception()
            result = Failure(error) if error is not None else future.result()
            self._reactor.callFromThread(_fire, deferred, result)

        self._pool.submit(work, *args, **kwargs).add_done_callback(done)
        return deferred

    def stop(self) -> None:
        """Wait for what runs, and end the threads."""
        self._stopped = True
        self._pool.shutdown()


def _fire(deferred: Deferred[T], result: T | Failure) -> None:
    if not deferred.called:
        deferred.callback(result)
