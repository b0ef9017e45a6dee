"""
What goes into one transaction of the writer, in which order, and how it is tried.

Used in the writer's thread. Neighbours: `writer` has the thread and the lanes, `deliveries` the hot path.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from time import monotonic
from typing import Any, TypeVar

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from ...mail.columns import INLINE_BODY_OCTETS
from ...mail.errors import Damaged
from ...mail.transaction import Committed, Transaction
from .answers import Answer
from .deliveries import deliver_together, deliver_unless_known
from .engine import Engine
from .integrity import tell_damage
from .state import WriteState

T = TypeVar("T")
Operation = Callable[[WriteState], T]

# Any: an operation's result is known to whoever asked for it.
_Accept = tuple[Transaction, Deferred[Committed]]
_Submitted = tuple[Operation[Any], Sequence[int], Deferred[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchLimits:
    """How much goes into one commit. Deliveries count by number and octets (about 10 ms); other work by time."""

    deliveries: int = 250
    octets: int = 8 * 1024 * 1024
    operations: int = 1000
    seconds: float = 0.010
    patience_seconds: float = 5.0
    """Idle work waits for an idle moment, but no longer than this."""


class Work:
    """The lanes in which work waits. The reactor's thread appends, the writer's takes."""

    __slots__ = ("accepts", "idle", "operations")

    def __init__(self) -> None:
        self.accepts: deque[_Accept] = deque()
        self.operations: deque[_Submitted] = deque()
        self.idle: deque[_Submitted] = deque()

    def __bool__(self) -> bool:
        return bool(self.accepts or self.operations or self.idle)

    def take_all(self) -> list[Deferred[Any]]:
        """Empty all lanes. Returns who waits."""
        waiting: list[Deferred[Any]] = []
        while self.accepts:
            waiting.append(self.accepts.popleft()[1])
        for lane in (self.operations, self.idle):
            while lane:
                waiting.append(lane.popleft()[2])
        return waiting


class Batch:
    """
    The work of one transaction.

    `settled` has the results, in order, `started` who waits for those that were begun. `committing` says that the
    commit was asked for.
    """

    def __init__(self, engine: Engine, work: Work, limits: BatchLimits, impatient: bool) -> None:
        self.settled: list[Answer] = []
        self.committing = False
        self._collisions_fail = False
        self._engine = engine
        self._work = work
        self._limits = limits
        self._accepts = self._take_accepts()
        self._operations: list[_Submitted] = []
        # Chosen now, begun while there is time.
        self._chosen = list(islice(work.operations, limits.operations))
        self.has_idle_work = bool(work.idle) and (impatient or not (self._accepts or self._chosen))
        self._idle = work.idle.popleft() if self.has_idle_work else None

    @property
    def started(self) -> list[Deferred[Any]]:
        """Who waits for what was begun."""
        waiting: list[Deferred[Any]] = [deferred for _, deferred in self._accepts]
        waiting += [deferred for _, _, deferred in self._operations]
        if self._idle is not None:
            waiting.append(self._idle[2])
        return waiting

    def _take_accepts(self) -> list[_Accept]:
        limits, taken, octets, lane = self._limits, list[_Accept](), 0, self._work.accepts
        while lane and len(taken) < limits.deliveries and octets < limits.octets:
            accept = lane.popleft()
            taken.append(accept)
            for body in accept[0].bodies:
                octets += min(body.size, INLINE_BODY_OCTETS)
        return taken

    def attempt(self, state: WriteState, *, together: bool = True, last: bool = False) -> Exception | None:
        """
        Try the transaction. Returns what made it fail; nothing of it was done then, unless `committing`.

        Not `together`: each delivery is tried by itself. `last`: who collides with another again fails alone, so that
        what can never succeed takes nobody along.
        """
        self._collisions_fail = last
        self.settled = []
        self.committing = False
        connection = state.connection
        try:
            connection.begin()
            state.batch_begins(
                [accept[0] for accept in self._accepts],
                {account for _, accounts, _ in self._upcoming() for account in accounts},
            )
            if state.files is not None:
                state.files.begin(connection)
            self._deliver(state, together)
            self._operate(state)
            state.before_commit()
            if state.files is not None:
                state.files.write()
            self.committing = True
            connection.commit()
        except Exception as error:
            if not (self.committing and self._engine.is_lost(error)):
                self._undo(state)
            return error
        return None

    def _upcoming(self) -> list[_Submitted]:
        """What may be begun in this attempt, beside the deliveries."""
        upcoming = self._operations or self._chosen
        return upcoming if self._idle is None else [*upcoming, self._idle]

    def _undo(self, state: WriteState) -> None:
        try:
            state.connection.rollback()
        except self._engine.errors:
            pass  # The transaction is gone with its connection, and the error that is told is the one before.
        state.rolled_back()

    def _deliver(self, state: WriteState, together: bool) -> None:
        accepts = self._accepts
        if not accepts:
            return
        results: list[Committed | Failure] | None = None
        if together:
            outcome = self._part(state, lambda state: deliver_together(state, [accept[0] for accept in accepts]))
            # One of them is not as the others: each by itself, so that it fails alone.
            results = None if isinstance(outcome, Failure) else list[Committed | Failure](outcome)
        if results is None:
            results = [self._checked_part(state, _deliver_one(transaction)) for transaction, _ in accepts]
        self.settled = [(accept[1], result) for accept, result in zip(accepts, results, strict=True)]

    def _operate(self, state: WriteState) -> None:
        if self._operations:
            for operation, _, deferred in self._operations:
                self.settled.append((deferred, self._checked_part(state, operation)))
        else:
            self._operate_in_time(state)
        if self._idle is not None:
            operation, _, deferred = self._idle
            self.settled.append((deferred, self._checked_part(state, operation)))

    def _operate_in_time(self, state: WriteState) -> None:
        until = monotonic() + self._limits.seconds
        for submitted in self._chosen:
            # Noted before it runs: should it take the whole batch down, it is told as well.
            self._operations.append(self._work.operations.popleft())
            operation, _, deferred = submitted
            self.settled.append((deferred, self._checked_part(state, operation)))
            # At least one, however many deliveries there are.
            if monotonic() > until:
                break

    def _checked_part(self, state: WriteState, operation: Operation[T]) -> T | Failure:
        def checked(state: WriteState) -> T:
            result = operation(state)
            state.flush()
            state.connection.check()
            return result

        return self._part(state, checked)

    def _part(self, state: WriteState, operation: Operation[T]) -> T | Failure:
        """Run an operation as a part that can be undone alone. What went wrong is given back, not raised."""
        connection = state.connection
        connection.save()
        try:
            result = operation(state)
            state.operation_done()
        except Exception as error:
            own = isinstance(error, self._engine.errors)
            if own and (
                self._engine.is_lost(error) or (self._engine.is_collision(error) and not self._collisions_fail)
            ):
                raise
            if not connection.in_transaction:
                # The database gave the whole transaction up (disk full, I/O error): what went before is undone too.
                raise error if own else _GivenUp() from error
            connection.undo()
            state.operation_failed()
            failure = self._engine.failure_of(error) if own else error
            if isinstance(failure, Damaged):
                tell_damage(self._engine.name, "while changing something", failure)
            return Failure(failure)
        connection.keep()
        return result


class _GivenUp(Exception):
    """The database undid the transaction while an operation ran."""


def _deliver_one(transaction: Transaction) -> Operation[Committed]:
    return lambda state: deliver_unless_known(state, transaction)
