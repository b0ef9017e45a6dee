"""
The named executor of this room: a few threads for password hashing, which releases the GIL while it works.

Decides how many hashes are computed at once (each takes 19 MiB and some 20 ms of a core) and how many may wait.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from twisted.internet.defer import Deferred, fail
from twisted.internet.interfaces import IReactorFromThreads
from twisted.python.failure import Failure
from twisted.python.threadpool import ThreadPool

from ..mail.errors import TemporaryFailure, Unavailable

T = TypeVar("T")


class Executor(Protocol):
    """Where blocking work is done."""

    def run(self, work: Callable[[], T]) -> Deferred[T]:
        """
        Do the work elsewhere. Fires with its result, or fails as it does.

        Fails with: TemporaryFailure, where too much waits already. Cancelling drops work that has not begun.
        """


class HashingThreads:
    """A pool of its own, so that a flood of logins delays nothing but logins."""

    def __init__(self, reactor: IReactorFromThreads, at_once: int = 2, waiting: int = 64) -> None:
        """
        Args:
            reactor: for coming back from the threads.
            at_once: threads, hence hashes computed at the same time.
            waiting: how much more may wait before it is refused.
        """
        self._reactor = reactor
        self._limit = at_once + waiting
        self._accepted = 0
        self._pool = ThreadPool(minthreads=0, maxthreads=at_once, name="passwords")
        self._running = False

    def start(self) -> None:
        """Take work from now on."""
        if not self._running:
            self._running = True
            self._pool.start()

    def stop(self) -> None:
        """Take no more, and wait for what is being computed: some hundredths of a second."""
        if self._running:
            self._running = False
            self._pool.stop()

    def run(self, work: Callable[[], T]) -> Deferred[T]:
        """See Executor."""
        if not self._running:
            return fail(Unavailable("not running"))
        if self._accepted >= self._limit:
            return fail(TemporaryFailure("too many logins at once"))
        self._accepted += 1
        given_up: list[bool] = []
        result: Deferred[T] = Deferred(lambda _: given_up.append(True))

        def in_thread() -> T | None:
            return None if given_up else work()

        def in_reactor(success: bool, value: Any) -> None:  # Any: a result or a Failure, as the pool gives it.
            self._accepted -= 1
            if given_up:
                return
            if success:
                result.callback(value)
            else:
                result.errback(value if isinstance(value, Failure) else Failure(value))

        def when_done(success: bool, value: Any) -> None:  # Any: as above.
            self._reactor.callFromThread(in_reactor, success, value)

        self._pool.callInThreadWithCallback(when_done, in_thread)
        return result
