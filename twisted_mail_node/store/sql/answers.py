"""
Giving results back in the reactor's thread, a little at a time.

One call from a thread brings the results of many operations, and what is done with each of them (a reply, rows of a
FETCH) takes its time: after TURN_SECONDS of it the reactor serves others before the rest is given.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from time import monotonic
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime

TURN_SECONDS = 0.005
"""Our own bound; one result alone may take longer."""

# Any: an operation's result is known to whoever asked for it, and to nobody between.
Answer = tuple[Deferred[Any], Any]


class Answers:
    """Fires Deferreds in the order in which they were given. Used in the reactor's thread."""

    def __init__(self, reactor: IReactorTime) -> None:
        self._reactor = reactor
        self._waiting: deque[Answer | Callable[[], None]] = deque()
        self._call: IDelayedCall | None = None

    def give(self, answers: Iterable[Answer], afterwards: Callable[[], None] | None = None) -> None:
        """Fire these with their results, and then call `afterwards`: now, or when what came before is done."""
        self._waiting.extend(answers)
        if afterwards is not None:
            self._waiting.append(afterwards)
        if self._call is None:
            self._go_on()

    def finish(self) -> None:
        """Give all that is left at once."""
        if self._call is not None:
            self._call.cancel()
            self._call = None
        while self._waiting:
            self._give_one()

    def _go_on(self) -> None:
        self._call = None
        until = monotonic() + TURN_SECONDS
        while self._waiting:
            self._give_one()
            if monotonic() > until and self._waiting:
                self._call = self._reactor.callLater(0, self._go_on)
                return

    def _give_one(self) -> None:
        answer = self._waiting.popleft()
        if isinstance(answer, tuple):
            deferred, result = answer
            deferred.callback(result)
        else:
            answer()
