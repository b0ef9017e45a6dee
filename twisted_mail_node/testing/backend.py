"""
What a contract suite needs of the backend under test: the doors, a clock to steer, and a way to run a story.

A contract's tests are coroutines that await the doors' Deferreds. `Backend.run` drives one to its end, whether
the Deferreds fire at once (memory), from threads (a database), or under a real reactor. A backend's own test
file inherits a contract and supplies the fixture `backend`:

    class TestMyStore(StoreContract):
        @pytest.fixture
        def backend(self):
            reactor = SteeredReactor()  # or RealReactor(...), where the store needs one
            backend = Backend(reactor, MyStore(reactor))
            backend.start()
            yield backend
            backend.stop()

For readable failures, call `pytest.register_assert_rewrite("twisted_mail_node.testing")` in conftest.py.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import wraps
from queue import Empty, SimpleQueue
from typing import Any, ParamSpec, Protocol, TypeVar, cast

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock, deferLater
from twisted.python.failure import Failure

from ..interfaces.queue import IQueueStore
from ..interfaces.required_store import IBasicStore
from ..interfaces.store import IAccount, IDirectory, IMaildropLock, IMailStore
from .samples import new_account, unique

P = ParamSpec("P")
T = TypeVar("T")

# How long real threads may take over one answer before the test fails: far longer than any takes.
PATIENCE_SECONDS = 20.0
TURN_SECONDS = 0.005


class Driver(Protocol):
    """A reactor for a store under test, together with how a test waits for it."""

    def seconds(self) -> float:
        """The time the store sees."""

    def advance(self, seconds: float) -> None:
        """Let this time pass for the store."""

    def turn(self) -> Deferred[None]:
        """Fires after the reactor has done something, or had time for it."""

    def wait_for(self, deferred: Deferred[T]) -> T:
        """Run the reactor until the Deferred fires; return or raise what it fires with."""


class SteeredReactor(Clock):
    """
    A reactor in the test's own hands: its time stands still unless advanced, and it takes calls from threads.

    For stores that need of a reactor only IReactorTime and `callFromThread`. Begins at a plausible time of day,
    so that what is made from the clock looks as it does in life.
    """

    def __init__(self) -> None:
        super().__init__()
        self.rightNow = 1_700_000_000.0
        self._from_threads: SimpleQueue[Callable[[], object]] = SimpleQueue()
        self._turns: list[Deferred[None]] = []

    # Any: a call is whatever the store's thread passes on.
    def callFromThread(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> None:  # noqa: N802
        """See IReactorFromThreads: run the call in the thread that drives the test."""
        self._from_threads.put(lambda: function(*args, **kwargs))

    def turn(self) -> Deferred[None]:
        """See Driver."""
        turn: Deferred[None] = Deferred()
        self._turns.append(turn)
        return turn

    def wait_for(self, deferred: Deferred[T]) -> T:
        """See Driver."""
        results: list[T | Failure] = []
        deferred.addBoth(results.append)
        while not results:
            ran = self._run_once(TURN_SECONDS if self._turns else PATIENCE_SECONDS)
            turns, self._turns = self._turns, []
            assert ran or turns, f"nothing happened for {PATIENCE_SECONDS} s: a Deferred was never fired"
            for turn in turns:
                turn.callback(None)
        return _result(results)

    def _run_once(self, patience_seconds: float) -> bool:
        """Run what is due and what threads passed on; where that is nothing, wait for threads. Whether any ran."""
        ran = False
        while self.calls and self.calls[0].getTime() <= self.seconds():
            self.advance(0)
            ran = True
        while True:
            try:
                call = self._from_threads.get(timeout=0 if ran else patience_seconds)
            except Empty:
                return ran
            call()
            ran = True


class RealReactor:
    """
    A reactor of Twisted with a clock that can be put forward, for stores that need sockets or the like.

    Calls that wait for their time already are not brought forward.

    Args:
        reactor: a reactor of the test's own that nobody runs, such as `SelectReactor()`; tests may share it.
    """

    # Any: beyond what is used here, whatever the reactor has.
    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor
        self._ahead = 0.0

    def __getattr__(self, name: str) -> Any:  # see above
        return getattr(self._reactor, name)

    def seconds(self) -> float:
        """See Driver."""
        return float(self._reactor.seconds()) + self._ahead

    def advance(self, seconds: float) -> None:
        """See Driver."""
        self._ahead += seconds

    def turn(self) -> Deferred[None]:
        """See Driver."""
        return deferLater(self._reactor, TURN_SECONDS)

    def wait_for(self, deferred: Deferred[T]) -> T:
        """See Driver."""
        results: list[T | Failure] = []
        deferred.addBoth(results.append)
        end = self._reactor.seconds() + PATIENCE_SECONDS
        while not results:
            assert self._reactor.seconds() < end, f"a Deferred was not fired within {PATIENCE_SECONDS} s"
            self._reactor.iterate(TURN_SECONDS)
        return _result(results)


def _result(results: list[T | Failure]) -> T:
    (result,) = results
    if isinstance(result, Failure):
        result.raiseException()
    return result


class Backend:
    """
    The doors under test, and how to drive them.

    Args:
        reactor: the reactor (or clock) that was given to the store.
        store: the mail store, not started yet.
        queue: the store's queue; None where it provides none, and so for the others.
        locks: the maildrop lock.
        directory: users and aliases.
        reopen: gives a new store over the same data, once the old one was stopped; None where a stopped store
            is simply started again. The new one must provide all doors that the old one did.
        make_account: makes an account with INBOX, where the store lets nobody make any.
    """

    def __init__(
        self,
        reactor: Driver,
        store: IBasicStore,
        queue: IQueueStore | None = None,
        locks: IMaildropLock | None = None,
        directory: IDirectory | None = None,
        reopen: Callable[[], IBasicStore] | None = None,
        make_account: Callable[[str], Deferred[None]] | None = None,
    ) -> None:
        self.reactor = reactor
        # A suite asks of the store what it is about: less than this, where the store provides less.
        self.store = cast(IMailStore, store)
        self._make_account = make_account
        self._queue = queue
        self._locks = locks
        self._directory = directory
        self._reopen = reopen

    @property
    def queue(self) -> IQueueStore:
        """The queue's door."""
        assert self._queue is not None, "the backend under test provides no queue"
        return self._queue

    @property
    def locks(self) -> IMaildropLock:
        """The maildrop lock's door."""
        assert self._locks is not None, "the backend under test provides no maildrop lock"
        return self._locks

    @property
    def directory(self) -> IDirectory:
        """The directory's door."""
        assert self._directory is not None, "the backend under test provides no directory"
        return self._directory

    @property
    def now(self) -> float:
        """The time of the store's clock."""
        return self.reactor.seconds()

    def advance(self, seconds: float) -> None:
        """Let this time pass for the store."""
        self.reactor.advance(seconds)

    async def new_account(self, *mailboxes: tuple[str, str | None]) -> IAccount:
        """An account that nobody else uses, with INBOX and these mailboxes, given as (name, special use)."""
        if self._make_account is None:
            return await new_account(self.store, *mailboxes)
        name = unique("account-") + "@example.test"
        await self._make_account(name)
        account = await self.store.account(name)
        for mailbox, special_use in mailboxes:
            await account.create(mailbox, special_use)
            await account.subscribe(mailbox, True)
        return account

    def start(self) -> None:
        """Start the store."""
        self.reactor.wait_for(self.store.start())

    def stop(self) -> None:
        """Stop the store."""
        self.reactor.wait_for(self.store.stop())

    async def restart(self) -> None:
        """Stop the store and open its data again, as after the end of a process."""
        await self.store.stop()
        await self.open_again()

    async def open_again(self) -> None:
        """Open the data of the stopped store again."""
        if self._reopen is not None:
            # One object provides all doors of a store that can be reopened.
            new: Any = self._reopen()
            self.store = new
            self._queue = None if self._queue is None else new
            self._locks = None if self._locks is None else new
            self._directory = None if self._directory is None else new
        await self.store.start()

    def run(self, story: Coroutine[Any, Any, T]) -> T:
        """Drive a coroutine to its end. Returns or raises as it does."""
        return self.reactor.wait_for(Deferred.fromCoroutine(story))

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for something that needs turns of the reactor, such as a notice."""
        for _ in range(int(PATIENCE_SECONDS / TURN_SECONDS)):
            if condition():
                return
            await self.reactor.turn()
        raise AssertionError("what was waited for never happened")


# Any: what a coroutine sends and awaits is of no concern here.
def on_backend(story: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    """Make a test out of a coroutine function that takes the fixture `backend`."""

    @wraps(story)
    def test(*args: P.args, **kwargs: P.kwargs) -> None:
        backend = kwargs["backend"]
        assert isinstance(backend, Backend), "the fixture `backend` gives no Backend"
        backend.run(story(*args, **kwargs))

    return test
