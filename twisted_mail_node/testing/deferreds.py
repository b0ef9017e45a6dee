"""Reading Deferreds in tests that need no reactor."""

from __future__ import annotations

from typing import Any, TypeVar

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

T = TypeVar("T")


def result_of(deferred: Deferred[T]) -> T:
    """
    What a Deferred has fired with.

    Raises: AssertionError: it has not fired yet. What it failed with, if it did.
    """
    seen: list[Any] = []  # Any: a result or a Failure.
    deferred.addBoth(seen.append)
    assert seen, "the Deferred has not fired"
    if isinstance(seen[0], Failure):
        seen[0].raiseException()
    result: T = seen[0]
    return result
