"""
The one writer: a thread that turns waiting operations into commits, many operations a commit.

What arrives while a commit is under way goes into the next, so one file sync serves all of them. Deliveries go
first and are written together; every other operation has a savepoint of its own, so that one failure fails its own
Deferred only. The reactor is woken once a batch: it fires the Deferreds, then tells of the changes.

Neighbours: `state` for what operations work with, `deliveries` for the hot path, `checkpoints` for what is kept off
this thread.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Condition, Thread, current_thread
from time import monotonic
from typing import Any, Protocol, TypeVar

import apsw
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorFromThreads, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from ...mail.changes import ChangeNotice
from ...mail.columns import INLINE_BODY_OCTETS
from ...mail.errors import Unavailable
from ...mail.transaction import Committed, Transaction
from .answers import Answer, Answers
from .deliveries import deliver_together, deliver_unless_known
from .sqlite import failure_of
from .state import WriteState

T = TypeVar("T")
Operation = Callable[[WriteState], T]


class IReactor(IReactorFromThreads, IReactorTime):
    """What the store asks of a reactor: its clock, and calls from threads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchLimits:
    """How much goes into one commit. Deliveries count by number and octets (about 10 ms); other work by time."""

    deliveries: int = 250
    octets: int = 8 * 1024 * 1024
    operations: int = 1000
    seconds: float = 0.010
    patience_seconds: float = 5.0
    """Idle work waits for an idle moment, but no longer than this."""


class AfterCommit(Protocol):
    """Told in the reactor's thread of what a batch changed."""

    def __call__(self, notices: Sequence[ChangeNotice], queue_grew: bool) -> None:
        """Tell the listeners."""


class Writer:
    """
    Owns the writing connection; see the module. All methods are called in the reactor's thread.

    `open_state` is called in the writer's thread to open the connection. `commits` counts the batches that were
    committed. `on_commit` is called in the writer's thread with the number of pages in the write-ahead log.
    """

    _log = Logger()

    def __init__(
        self,
        reactor: IReactor,
        open_state: Callable[[], WriteState],
        after_commit: AfterCommit,
        limits: BatchLimits | None = None,
    ) -> None:
        self.commits = 0
        self.on_commit: Callable[[int], None] = _ignore
        self._reactor = reactor
        self._open_state = open_state
        self._after_commit = after_commit
        self._answers = Answers(reactor)
        self._limits = limits or BatchLimits()
        self._accepts: deque[tuple[Transaction, Deferred[Committed]]] = deque()
        self._operations: deque[tuple[Operation[Any], Deferred[Any]]] = deque()
        self._idle: deque[tuple[Operation[Any], Deferred[Any]]] = deque()
        self._idle_since = 0.0
        self._between: deque[Callable[[apsw.Connection], None]] = deque()
        self._condition = Condition()
        self._kicked: IDelayedCall | None = None
        self._accepting = False
        self._stopping = False
        self._thread: Thread | None = None
        self._stopped: Deferred[None] = Deferred()

    @property
    def accepting(self) -> bool:
        """Whether operations are taken: the writer was started, and not stopped."""
        return self._accepting

    # -- the reactor's side ----------------------------------------------------------------------------------

    def start(self) -> Deferred[None]:
        """Start the thread. Fires when the connection is open; fails as `open_state` does."""
        started: Deferred[None] = Deferred()
        self._thread = Thread(target=self._run, args=(started,), name="mail store writer", daemon=True)
        self._thread.start()
        return started

    def refuse(self) -> None:
        """Take no more operations; what was submitted goes on."""
        self._accepting = False

    def stop(self) -> Deferred[None]:
        """Finish all that was submitted, then close. Fires when the thread has ended."""
        self._accepting = False
        if self._kicked is not None:
            self._kicked.cancel()
            self._kicked = None
        with self._condition:
            self._stopping = True
            self._condition.notify()
        return self._stopped

    def deliver(self, transaction: Transaction) -> Deferred[Committed]:
        """Commit a transaction; see IMailStore.deliver."""
        deferred: Deferred[Committed] = Deferred()
        if not self._accepting:
            deferred.errback(Failure(Unavailable("the store is stopped")))
            return deferred
        self._accepts.append((transaction, deferred))
        if self._kicked is None:
            self._kick_soon()
        return deferred

    def submit(self, operation: Operation[T], *, idle: bool = False) -> Deferred[T]:
        """
        Run an operation in the writer's thread, in a savepoint, and commit it.

        Fires with its result after the commit. With `idle` it waits until nothing else does.
        """
        deferred: Deferred[T] = Deferred()
        if not self._accepting:
            deferred.errback(Failure(Unavailable("the store is stopped")))
            return deferred
        (self._idle if idle else self._operations).append((operation, deferred))
        if self._kicked is None:
            self._kick_soon()
        return deferred

    def between_commits(self, work: Callable[[apsw.Connection], None]) -> None:
        """Let short work that wants no transaction run on the writer's connection. From any thread."""
        with self._condition:
            self._between.append(work)
            self._condition.notify()

    def _kick_soon(self) -> None:
        # Once a turn of the reactor: what comes in one turn shares a commit, and one wake-up.
        self._kicked = self._reactor.callLater(0, self._kick)

    def _kick(self) -> None:
        self._kicked = None
        with self._condition:
            self._condition.notify()

    def _settle(self, settled: Sequence[Answer], notices: Sequence[ChangeNotice], queue_grew: bool) -> None:
        tell = (lambda: self._after_commit(notices, queue_grew)) if notices or queue_grew else None
        self._answers.give(settled, tell)

    # -- the thread's side -----------------------------------------------------------------------------------

    def _run(self, started: Deferred[None]) -> None:
        try:
            state = self._open_state()
        except BaseException:
            self._reactor.callFromThread(self._ended, started, Failure())
            return
        state.connection.set_wal_hook(self._note_wal)
        self._idle_since = monotonic()
        self._accepting = True
        self._reactor.callFromThread(started.callback, None)
        failure: Failure | None = None
        try:
            while self._wait_for_work():
                while self._between:
                    self._run_between(state)
                if self._accepts or self._operations or self._idle:
                    self._batch(state)
        except BaseException:
            failure = Failure()
            self._accepting = False
        self._close(state)
        self._reactor.callFromThread(self._ended, self._stopped, failure)

    def _run_between(self, state: WriteState) -> None:
        try:
            self._between.popleft()(state.connection)
        except apsw.Error as error:
            self._log.error("work between two commits failed: {error}", error=error)

    def _close(self, state: WriteState) -> None:
        try:
            state.connection.close(True)
        except apsw.Error:
            self._log.failure("closing the database failed")

    def _ended(self, deferred: Deferred[None], failure: Failure | None) -> None:
        if self._thread is not None and self._thread is not current_thread():
            self._thread.join()
        self._answers.finish()
        lost = [pair[1] for lane in (self._accepts, self._operations, self._idle) for pair in lane]
        for lane in (self._accepts, self._operations, self._idle):
            lane.clear()
        for waiting in lost:
            waiting.errback(Failure(Unavailable("the store is stopped")))
        if failure is not None:
            deferred.errback(failure)
        else:
            deferred.callback(None)

    def _note_wal(self, connection: apsw.Connection, name: str, pages: int) -> int:
        self.on_commit(pages)
        return apsw.SQLITE_OK

    def _has_work(self) -> bool:
        return bool(self._accepts or self._operations or self._idle or self._between)

    def _wait_for_work(self) -> bool:
        """False: the end has come, and nothing waits any more."""
        with self._condition:
            while not self._has_work():
                if self._stopping:
                    return False
                self._condition.wait()
        return True

    def _batch(self, state: WriteState) -> None:
        settled: list[Answer] = []
        try:
            state.execute("BEGIN IMMEDIATE")
            self._fill(state, settled)
            state.before_commit()
            state.execute("COMMIT")
        except Exception as error:
            self._log.error("a commit failed with {count} operations: {error}", count=len(settled), error=error)
            self._undo(state)
            if not settled:
                self._take_all(settled)
            everyone = [(deferred, Failure(failure_of(error))) for deferred, _ in settled]
            self._reactor.callFromThread(self._settle, everyone, (), False)
            return
        self.commits += 1
        notices, queue_grew = state.committed()
        self._reactor.callFromThread(self._settle, settled, notices, queue_grew)

    def _take_all(self, settled: list[Answer]) -> None:
        # BEGIN itself failed: somebody must be told, or the loop would go on for ever.
        for lane in (self._accepts, self._operations, self._idle):
            while lane:
                settled.append((lane.popleft()[1], None))

    def _undo(self, state: WriteState) -> None:
        if state.connection.in_transaction:
            try:
                state.execute("ROLLBACK")
            except apsw.Error:
                self._log.failure("a rollback failed")
        state.rolled_back()

    def _fill(self, state: WriteState, settled: list[Answer]) -> None:
        limits = self._limits
        if self._accepts:
            self._deliver(state, settled)
        until = monotonic() + limits.seconds
        for _ in range(limits.operations):
            if not self._operations:
                break
            # At least one, however many deliveries there are.
            self._operate(state, *self._operations.popleft(), settled)
            if monotonic() > until:
                break
        if not self._idle:
            return
        now = monotonic()
        if not settled or now - self._idle_since > limits.patience_seconds:
            self._idle_since = now
            self._operate(state, *self._idle.popleft(), settled)

    def _deliver(self, state: WriteState, settled: list[Answer]) -> None:
        limits, group, octets = self._limits, list[tuple[Transaction, Deferred[Committed]]](), 0
        while self._accepts and len(group) < limits.deliveries and octets < limits.octets:
            accept = self._accepts.popleft()
            group.append(accept)
            for body in accept[0].bodies:
                octets += min(body.size, INLINE_BODY_OCTETS)
        settled.extend((pair[1], None) for pair in group)
        together = self._guarded(state, lambda state: deliver_together(state, [pair[0] for pair in group]))
        if isinstance(together, Failure):
            # One of them is not as the others: each by itself, so that it fails alone.
            results = [self._guarded(state, _deliver_one(transaction)) for transaction, _ in group]
        else:
            results = list[Committed | Failure](together)
        settled[:] = [(pair[1], result) for pair, result in zip(group, results, strict=True)]

    def _operate(
        self, state: WriteState, operation: Operation[Any], deferred: Deferred[Any], settled: list[Answer]
    ) -> None:
        # Noted before it runs: should it take the whole batch down, it is told as well.
        settled.append((deferred, None))
        settled[-1] = (deferred, self._guarded(state, operation))

    def _guarded(self, state: WriteState, operation: Operation[T]) -> T | Failure:
        state.execute("SAVEPOINT operation")
        try:
            result = operation(state)
            state.operation_done()
        except Exception as error:
            failure = Failure(failure_of(error)) if isinstance(error, apsw.Error) else Failure()
            if not state.connection.in_transaction:
                # SQLite gave the whole transaction up (disk full, I/O error): what went before is undone as well.
                raise error if isinstance(error, apsw.Error) else apsw.AbortError("rolled back") from error
            state.execute("ROLLBACK TO operation")
            state.execute("RELEASE operation")
            state.operation_failed()
            return failure
        state.execute("RELEASE operation")
        return result


def _ignore(pages: int) -> None:
    """Until somebody wants to know."""


def _deliver_one(transaction: Transaction) -> Operation[Committed]:
    return lambda state: deliver_unless_known(state, transaction)
