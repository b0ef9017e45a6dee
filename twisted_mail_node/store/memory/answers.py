"""How synchronous work answers at a door: by a Deferred that has fired already, and only while the store runs."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, Protocol, TypeVar

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.interfaces import IReactorTime

from ...mail.errors import Unavailable

P = ParamSpec("P")
T = TypeVar("T")


class Life:
    """Whether a store runs, and what time it is there: what all its doors share."""

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self.running = False

    @property
    def now(self) -> float:
        """Seconds since the epoch."""
        return self._clock.seconds()


class _Door(Protocol):
    @property
    def life(self) -> Life: ...


D = TypeVar("D", bound=_Door)


def answered(method: Callable[Concatenate[D, P], T]) -> Callable[Concatenate[D, P], Deferred[T]]:
    """Make a method of a door answer by a fired Deferred; it fails with Unavailable while the store is stopped."""

    @wraps(method)
    def answer(door: D, /, *args: P.args, **kwargs: P.kwargs) -> Deferred[T]:
        if not door.life.running:
            return fail(Unavailable("the mail store is stopped"))
        try:
            return succeed(method(door, *args, **kwargs))
        except Exception as error:
            return fail(error)

    return answer
