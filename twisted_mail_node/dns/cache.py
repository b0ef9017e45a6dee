"""
A cache of answers and failures, each for its time, in which one question is asked once however many wait for it.

It decides how long an answer is believed and who is told; what a question is and who answers belongs to its
user. Source: RFC 2308 (negative answers have a time to live too).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Generic, TypeVar, cast

from twisted.internet.defer import CancelledError, Deferred, fail, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.python.failure import Failure

from ..mail.errors import MailError, Unavailable

Question = TypeVar("Question", bound=Hashable)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Timed(Generic[T]):
    """A value and for how many seconds it may be believed."""

    value: T
    ttl_seconds: float


@dataclass(slots=True)
class _Kept(Generic[T]):
    until: float
    value: T | None
    error: MailError | None


@dataclass(slots=True)
class _Lookup(Generic[T]):
    waiters: list[Deferred[T]] = field(default_factory=list)
    asked: Deferred[Timed[T]] | None = None


class AnswerCache(Generic[Question, T]):
    """
    Keeps up to `limit` answers, the least recently used leaving first.

    A time to live is cut to `longest_seconds`. A failure that is a MailError is kept for `failure_seconds`; any
    other is a bug and is told but not kept.
    """

    def __init__(
        self,
        clock: IReactorTime,
        ask: Callable[[Question], Deferred[Timed[T]]],
        *,
        limit: int = 10_000,
        longest_seconds: float = 86_400.0,
        failure_seconds: float = 20.0,
    ) -> None:
        self._clock = clock
        self._ask = ask
        self._limit = limit
        self._longest_seconds = longest_seconds
        self._failure_seconds = failure_seconds
        self._kept: OrderedDict[Question, _Kept[T]] = OrderedDict()
        self._lookups: dict[Question, _Lookup[T]] = {}
        self._stopped = False

    def get(self, question: Question) -> Deferred[T]:
        """
        The answer, kept or asked for.

        Fails with what the asking failed with; Unavailable after `stop`. Cancelling gives up for this caller
        only; the lookup itself is cancelled with its last waiter.
        """
        if self._stopped:
            return fail(Unavailable("the resolver is stopped"))
        kept = self._kept.get(question)
        if kept is not None:
            if self._clock.seconds() < kept.until:
                self._kept.move_to_end(question)
                if kept.error is not None:
                    # Raised again and again: without this its traceback would grow for as long as it is kept.
                    return fail(kept.error.with_traceback(None))
                return succeed(cast(T, kept.value))
            del self._kept[question]
        return self._join(question)

    def forget_failures(self) -> None:
        """Ask again what was failed with, at the next `get`."""
        for question in [question for question, kept in self._kept.items() if kept.error is not None]:
            del self._kept[question]

    def stop(self) -> None:
        """Cancel what is being asked, failing its waiters with Unavailable, and answer nothing more."""
        self._stopped = True
        self._kept.clear()
        lookups, self._lookups = self._lookups, {}
        for lookup in lookups.values():
            waiters, lookup.waiters = lookup.waiters, []
            if lookup.asked is not None:
                lookup.asked.cancel()
            for waiter in waiters:
                waiter.errback(Unavailable("the resolver is stopped"))

    def __len__(self) -> int:
        return len(self._kept)

    def _join(self, question: Question) -> Deferred[T]:
        lookup = self._lookups.get(question)
        is_first = lookup is None
        if lookup is None:
            lookup = self._lookups[question] = _Lookup()
        joined = lookup

        def gave_up(waiter: Deferred[T]) -> None:
            if waiter in joined.waiters:
                joined.waiters.remove(waiter)
            if not joined.waiters and self._lookups.get(question) is joined:
                del self._lookups[question]
                if joined.asked is not None:
                    joined.asked.cancel()

        waiting: Deferred[T] = Deferred(gave_up)
        lookup.waiters.append(waiting)
        if is_first:
            lookup.asked = asked = self._ask(question)
            asked.addCallbacks(
                self._answered, self._failed, callbackArgs=(question, lookup), errbackArgs=(question, lookup)
            )
        return waiting

    def _answered(self, timed: Timed[T], question: Question, lookup: _Lookup[T]) -> None:
        self._keep(question, _Kept(self._until(timed.ttl_seconds), timed.value, None))
        for waiter in self._end(question, lookup):
            waiter.callback(timed.value)

    def _failed(self, failure: Failure, question: Question, lookup: _Lookup[T]) -> None:
        waiters = self._end(question, lookup)
        if isinstance(failure.value, MailError):
            self._keep(question, _Kept(self._until(self._failure_seconds), None, failure.value))
        elif not waiters and failure.check(CancelledError):
            return
        for waiter in waiters:
            waiter.errback(failure.value)

    def _end(self, question: Question, lookup: _Lookup[T]) -> list[Deferred[T]]:
        if self._lookups.get(question) is lookup:
            del self._lookups[question]
        waiters, lookup.waiters = lookup.waiters, []
        return waiters

    def _until(self, ttl_seconds: float) -> float:
        return self._clock.seconds() + min(ttl_seconds, self._longest_seconds)

    def _keep(self, question: Question, kept: _Kept[T]) -> None:
        if self._stopped:
            return
        self._kept[question] = kept
        self._kept.move_to_end(question)
        while len(self._kept) > self._limit:
            self._kept.popitem(last=False)
