"""
What runs while a store is started, and the order in which its parts start and stop.

Neighbours: `writer`, `readers`, `sweep` and the engine's companions are the parts; `store` makes a machinery for each
start, and every door of the store works through it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ...mail.changes import ChangeNotice
from ...mail.errors import PermanentFailure
from ...mail.quota import NO_RULES, QuotaRules
from ..history import HISTORY_SECONDS
from ..maildir.tree import Tree
from ..watches import Watches
from .batch import BatchLimits
from .bodies import Pins
from .connection import WritingConnection
from .engine import Engine, IReactor
from .kept.filler import Filler
from .maildir.files import Files
from .readers import Readers
from .state import WriteState
from .sweep import Sweep
from .writer import Writer


class Machinery:
    """What runs while the store is started: made anew by every start."""

    def __init__(
        self,
        engine: Engine,
        reactor: IReactor,
        watches: Watches,
        limits: BatchLimits,
        reader_threads: int,
        users_changed: Callable[[], None],
        tree: Tree | None = None,
        rules: QuotaRules = NO_RULES,
        history_seconds: float = HISTORY_SECONDS,
    ) -> None:
        self.running = False
        self.waiting_hints = 0
        self.pins = Pins()
        self.engine = engine
        self._reactor = reactor
        self._watches = watches
        self._users_changed = users_changed
        self._rules = rules
        self.writer = Writer(reactor, engine, self._open_state, self._tell, limits)
        self.readers = Readers(reactor, engine, reader_threads)
        self.companions = engine.companions(reactor, self)
        self.files = None if tree is None else Files(tree, reactor, self.writer, self.readers, watches)
        self.filler = Filler(reactor, self)
        self.sweep = Sweep(reactor, self.writer, self.pins, engine.staged_seconds, history_seconds, self._swept)

    def _open_state(self) -> WriteState:
        state = self.engine.open_writer(self._reactor.seconds, self.pins.given_up)
        state.rules = self._rules
        if self.files is not None:
            state.files = self.files.work
        return state

    # -- Surroundings: what the companions may do ------------------------------------------------------------

    def between_commits(self, work: Callable[[WritingConnection], None]) -> None:
        """See Surroundings."""
        self.writer.between_commits(work)

    def tell(self, notices: Sequence[ChangeNotice], queue_grew: bool, users_changed: bool) -> None:
        """See Surroundings."""
        if users_changed:
            self._reactor.callFromThread(self._users_changed)
        self._reactor.callFromThread(self._tell, notices, queue_grew)

    def _tell(self, notices: Sequence[ChangeNotice], queue_grew: bool) -> None:
        self._watches.tell(notices, queue_grew)
        self.filler.told(notices)

    def watched(self) -> Sequence[str]:
        """See Surroundings."""
        return self._watches.accounts

    def _swept(self) -> None:
        for companion in self.companions:
            companion.swept()
        if self.files is not None:
            self.files.swept()

    # -- life ------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Take what one process alone may have, open, start the threads. After a failure nothing of it is left."""
        self.engine.acquire()
        try:
            await self.writer.start()
        except BaseException:
            self.engine.release()
            raise
        self.readers.start()
        for companion in self.companions:
            await companion.start()
        try:
            if self.files is None:
                await self._check_bodies()
            else:
                await self.files.start()
        except BaseException:
            await self.stop()
            raise
        self.sweep.start()
        self.filler.start()
        self.running = True

    async def _check_bodies(self) -> None:
        if await self.readers.read(lambda connection: connection.find("SELECT 1 FROM folder LIMIT 1")) is not None:
            raise PermanentFailure('messages of this database are in Maildirs: say so by bodies = "maildir" in [store]')

    async def stop(self) -> None:
        """End the threads, the writer last, so that its close leaves one clean file."""
        self.running = False
        self.filler.stop()
        if self.files is not None:
            await self.files.stop()
        self.writer.refuse()
        self.sweep.stop()
        try:
            await self.readers.stop()
            for companion in self.companions:
                await companion.stop()
            await self.writer.stop()
            if self.files is not None:
                self.files.ended()
        finally:
            self.engine.release()
