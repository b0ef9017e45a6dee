"""
Waiting for a Deferred where no reactor runs: the command line, and what must be known before a start can succeed.

A reactor of its own is turned for as long as it takes; the application's own is not touched.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.pollreactor import PollReactor
from twisted.python.failure import Failure

T = TypeVar("T")

_LONGEST_TURN_SECONDS = 60.0


class OwnReactor:
    """A reactor that is turned only while somebody waits for what was begun on it."""

    def __init__(self) -> None:
        self.reactor = PollReactor()

    # Any: what a coroutine awaits is of no concern here.
    def begin(self, work: Coroutine[Any, Any, T]) -> Begun[T]:
        """Begin work; it gets as far as it does without waiting."""
        begun = Begun(self.reactor, Deferred.fromCoroutine(work))
        self.reactor.runUntilCurrent()
        return begun

    def close(self) -> None:
        """Give back what the reactor has open."""
        _dispose(self.reactor)


class Begun(Generic[T]):
    """Work that was begun on a reactor of one's own."""

    # Any: a reactor provides more interfaces than one type has names.
    def __init__(self, reactor: Any, deferred: Deferred[T]) -> None:
        self._reactor = reactor
        self._results: list[T] = []
        self._failures: list[Failure] = []
        deferred.addCallbacks(self._results.append, self._failures.append)

    def wait(self) -> T:
        """Its result, or what it raises. Blocks."""
        reactor = self._reactor
        while not self._results and not self._failures:
            soon = reactor.timeout()
            reactor.doIteration(_LONGEST_TURN_SECONDS if soon is None else soon)
            reactor.runUntilCurrent()
        if self._failures:
            self._failures[0].raiseException()
        return self._results[0]


# Any: as above.
def wait_for(work: Callable[[Any], Coroutine[Any, Any, T]]) -> T:
    """Run `work(reactor)` to its end and give its result, or raise what it raises. Blocks."""
    own = OwnReactor()
    try:
        return own.begin(work(own.reactor)).wait()
    finally:
        own.close()


def _dispose(reactor: Any) -> None:  # Any: as above.
    """Close what a reactor keeps open for its own use, or every call would leave two sockets."""
    reactor.removeAll()
    waker = getattr(reactor, "waker", None)
    if waker is not None:
        reactor._internalReaders.discard(waker)
        waker.connectionLost(Failure(RuntimeError("the reactor is done")))
