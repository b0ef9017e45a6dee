"""
The one writer: a thread that turns waiting operations into commits, many operations a commit.

What arrives while a commit is under way goes into the next, so one file sync serves all of them. Deliveries go
first and are written together; every other operation is a part of the transaction that can be undone alone, so that
one failure fails its own Deferred only. The reactor is woken once a batch: it fires the Deferreds, then tells of the
changes.

Where the database is elsewhere, the connection can be lost. Who waits is told at once, and so is who comes before
there is a new one; only what was committed without a word of the outcome waits until that is known. Neighbours:
`batch` for the order of work within a transaction, `state` for what operations work with, `engine` for the database.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from threading import Condition, Thread, current_thread
from time import monotonic
from typing import Any, Protocol, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from ...mail.changes import ChangeNotice
from ...mail.errors import TemporaryFailure, Unavailable
from ...mail.transaction import Committed, Transaction
from .answers import Answer, Answers
from .batch import Batch, BatchLimits, Operation, Work
from .connection import WritingConnection
from .engine import Engine, IReactor
from .state import WriteState

T = TypeVar("T")

STOPPED = "the store is stopped"
UNREACHABLE = "the database cannot be reached"

FIRST_WAIT_SECONDS = 0.1
LONGEST_WAIT_SECONDS = 5.0
"""Between two tries to connect again: the wait doubles from the one to the other."""

TRIES_MORE = 4
"""How often a transaction is tried again that others get in the way of."""

UNKNOWN_SECONDS = 60.0
"""How long those wait whose commit may have been made, before they are told that it failed: clients wait longer."""


class AfterCommit(Protocol):
    """Told in the reactor's thread of what a batch changed."""

    def __call__(self, notices: Sequence[ChangeNotice], queue_grew: bool) -> None:
        """Tell the listeners."""


class Writer:
    """
    Owns the writing connection; see the module. All methods are called in the reactor's thread.

    `open_state` is called in the writer's thread to open the connection. `commits` counts the batches that were
    committed.
    """

    _log = Logger()

    def __init__(
        self,
        reactor: IReactor,
        engine: Engine,
        open_state: Callable[[], WriteState],
        after_commit: AfterCommit,
        limits: BatchLimits | None = None,
    ) -> None:
        self.commits = 0
        self._reactor = reactor
        self._engine = engine
        self._open_state = open_state
        self._after_commit = after_commit
        self._answers = Answers(reactor)
        self._limits = limits or BatchLimits()
        self._work = Work()
        self._idle_since = 0.0
        self._between: deque[Callable[[WritingConnection], None]] = deque()
        self._condition = Condition()
        self._kicked: IDelayedCall | None = None
        self._refusal = STOPPED
        self._accepting = False
        self._stopping = False
        self._thread: Thread | None = None
        self._stopped: Deferred[None] = Deferred()

    @property
    def accepting(self) -> bool:
        """Whether operations are taken: the writer was started and not stopped, and has a connection."""
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
        self._refusal, self._accepting = STOPPED, False

    def stop(self) -> Deferred[None]:
        """Finish all that was submitted, then close. Fires when the thread has ended."""
        self.refuse()
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
            deferred.errback(Failure(Unavailable(self._refusal)))
            return deferred
        self._work.accepts.append((transaction, deferred))
        if self._kicked is None:
            self._kick_soon()
        return deferred

    def submit(
        self, operation: Operation[T], *, idle: bool = False, account: int | None = None, other: int | None = None
    ) -> Deferred[T]:
        """
        Run an operation in the writer's thread, as a part of a transaction of its own, and commit it.

        Fires with its result after the commit. With `idle` it waits until nothing else does. `account` is the
        account that it changes, where it is one, and `other` a second. It may be run more than once; only the last
        time lasts.
        """
        deferred: Deferred[T] = Deferred()
        if not self._accepting:
            deferred.errback(Failure(Unavailable(self._refusal)))
            return deferred
        lane = self._work.idle if idle else self._work.operations
        lane.append((operation, [number for number in (account, other) if number is not None], deferred))
        if self._kicked is None:
            self._kick_soon()
        return deferred

    def between_commits(self, work: Callable[[WritingConnection], None]) -> None:
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
        self._idle_since = monotonic()
        self._accepting = True
        self._reactor.callFromThread(started.callback, None)
        failure: Failure | None = None
        try:
            while self._wait_for_work():
                while self._between:
                    self._run_between(state)
                if self._work:
                    state = self._batch(state)
        except BaseException:
            failure = Failure()
            self._accepting = False
        if failure is None:
            self._settle_files(state)
        self._close(state)
        self._reactor.callFromThread(self._ended, self._stopped, failure)

    def _run_between(self, state: WriteState) -> None:
        try:
            self._between.popleft()(state.connection)
        except self._engine.errors as error:
            self._log.error("work between two commits failed: {error}", error=error)

    def _settle_files(self, state: WriteState) -> None:
        if state.files is not None:
            try:
                state.files.settle(state.connection)
            except self._engine.errors as error:
                # The next look at each folder finds how its files are.
                self._log.error("the places of files could not be written: {error}", error=error)

    def _close(self, state: WriteState) -> None:
        try:
            state.connection.close()
        except self._engine.errors:
            self._log.failure("closing the database failed")

    def _ended(self, deferred: Deferred[None], failure: Failure | None) -> None:
        if self._thread is not None and self._thread is not current_thread():
            self._thread.join()
        self._answers.finish()
        for waiting in self._work.take_all():
            waiting.errback(Failure(Unavailable(STOPPED)))
        if failure is not None:
            deferred.errback(failure)
        else:
            deferred.callback(None)

    def _wait_for_work(self) -> bool:
        """False: the end has come, and nothing waits any more."""
        with self._condition:
            while not self._work and not self._between:
                if self._stopping:
                    return False
                self._condition.wait()
        return True

    def _batch(self, state: WriteState) -> WriteState:
        """Commit what waits. Returns the state to go on with: another where the connection was lost."""
        now = monotonic()
        impatient = now - self._idle_since > self._limits.patience_seconds
        batch = Batch(self._engine, self._work, self._limits, impatient)
        if batch.has_idle_work:
            self._idle_since = now
        error = self._attempt(batch, state)
        if error is None:
            self.commits += 1
            self._reactor.callFromThread(self._settle, batch.settled, *state.committed())
            return state
        if self._engine.is_lost(error):
            return self._connect_again(state, batch, error)
        self._log.error("a commit failed with {count} operations: {error}", count=len(batch.settled), error=error)
        self._fail(batch.started or self._work.take_all(), error)
        return state

    def _attempt(self, batch: Batch, state: WriteState) -> Exception | None:
        engine = self._engine
        error = batch.attempt(state)
        if error is not None and engine.tells_late and not engine.is_lost(error):
            error = batch.attempt(state, together=False)
        for more in reversed(range(TRIES_MORE)):
            if error is None or not engine.is_collision(error):
                break
            error = batch.attempt(state, together=False, last=not more)
        return error

    def _fail(self, waiting: Sequence[Deferred[Any]], error: BaseException) -> None:
        failure = error
        if isinstance(error, Exception) and not isinstance(error, TemporaryFailure):
            failure = self._engine.failure_of(error)
        self._reactor.callFromThread(self._settle, [(deferred, Failure(failure)) for deferred in waiting], (), False)

    # -- a lost connection -----------------------------------------------------------------------------------

    def _connect_again(self, state: WriteState, batch: Batch, error: BaseException) -> WriteState:
        self._log.error("the connection to {database} was lost: {error}", database=self._engine.name, error=error)
        self._refusal, self._accepting = (STOPPED if self._stopping else UNREACHABLE), False
        unknown = batch if batch.committing else None
        if unknown is None:
            self._fail(batch.started, error)
        self._close(state)
        patient_until = monotonic() + UNKNOWN_SECONDS
        wait = FIRST_WAIT_SECONDS
        while not self._stopping:
            self._fail(self._work.take_all(), error)
            if unknown is not None and monotonic() > patient_until:
                self._give_up(unknown, state, error)
                unknown = None
            try:
                state = self._open_again(state, unknown)
            except self._engine.errors as failed:
                self._log.debug("no connection to {database} yet: {error}", database=self._engine.name, error=failed)
            else:
                self._log.info("connected to {database} again", database=self._engine.name)
                self._accepting = not self._stopping
                return state
            with self._condition:
                self._condition.wait_for(lambda: self._stopping, timeout=wait)
            wait = min(2 * wait, LONGEST_WAIT_SECONDS)
        if unknown is not None:
            self._give_up(unknown, state, error)
        self._fail(self._work.take_all(), error)
        return state

    def _give_up(self, unknown: Batch, state: WriteState, error: BaseException) -> None:
        if state.files is not None:
            state.files.unknown()
        self._fail(unknown.started, error)

    def _open_again(self, before: WriteState, unknown: Batch | None) -> WriteState:
        state = self._open_state()
        if unknown is None:
            return state
        try:
            was_committed = state.was_committed(before)
        except BaseException:
            self._close(state)
            raise
        if was_committed:
            self.commits += 1
            self._reactor.callFromThread(self._settle, unknown.settled, *before.committed())
        else:
            if before.files is not None:
                before.files.undone()
            error = Unavailable(UNREACHABLE)
            answers = [(deferred, Failure(error)) for deferred in unknown.started]
            self._reactor.callFromThread(self._settle, answers, (), False)
        return state
