"""
Waiting for a Deferred where no reactor runs: the command line, and what must be known before a start can succeed.

A reactor of its own is turned for as long as it takes; the application's own is not touched.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.pollreactor import PollReactor
from twisted.python.failure import Failure

T = TypeVar("T")

_LONGEST_TURN_SECONDS = 60.0


# Any: what a coroutine awaits is of no concern here; a reactor provides more interfaces than one type has names.
def wait_for(work: Callable[[Any], Coroutine[Any, Any, T]]) -> T:
    """Run `work(reactor)` to its end and give its result, or raise what it raises. Blocks."""
    reactor = PollReactor()
    results: list[T] = []
    failures: list[Failure] = []
    try:
        Deferred.fromCoroutine(work(reactor)).addCallbacks(results.append, failures.append)
        reactor.runUntilCurrent()
        while not results and not failures:
            soon = reactor.timeout()
            reactor.doIteration(_LONGEST_TURN_SECONDS if soon is None else soon)
            reactor.runUntilCurrent()
    finally:
        _dispose(reactor)
    if failures:
        failures[0].raiseException()
    return results[0]


def _dispose(reactor: Any) -> None:  # Any: as above.
    """Close what a reactor keeps open for its own use, or every call would leave two sockets."""
    reactor.removeAll()
    waker = getattr(reactor, "waker", None)
    if waker is not None:
        reactor._internalReaders.discard(waker)
        waker.connectionLost(Failure(RuntimeError("the reactor is done")))
