"""
How doors give Deferreds: the decorator that lets an `async def` stand behind a door that promises a started
Deferred, and the shield for work that must be finished whoever still wants to know.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from twisted.internet.defer import Deferred

P = ParamSpec("P")
T = TypeVar("T")


# Any: what a coroutine sends and awaits is of no concern to its caller.
def returns_deferred(function: Callable[P, Coroutine[Any, Any, T]]) -> Callable[P, Deferred[T]]:
    """Make a coroutine function return a Deferred that has already started."""

    @wraps(function)
    def started(*args: P.args, **kwargs: P.kwargs) -> Deferred[T]:
        return Deferred.fromCoroutine(function(*args, **kwargs))

    return started


def shielded(work: Deferred[T]) -> Deferred[T]:
    """
    A Deferred with the result of `work`, which goes on to its end though the returned one be cancelled.

    What becomes of it then is told to nobody; whoever must know adds a callback to `work` before.
    """
    told: Deferred[T] = Deferred()
    # A cancelled Deferred ignores the one result that comes later.
    work.addCallbacks(told.callback, told.errback)
    return told
