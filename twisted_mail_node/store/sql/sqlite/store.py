"""SQLiteStore: all durable doors on one SQLite file that one process owns."""

from __future__ import annotations

from pathlib import Path

from twisted.internet.defer import Deferred, fail, succeed
from zope.interface import implementer

from ....interfaces.store import IMaildropLock
from ....mail.errors import InUse, Unavailable
from ...maildrop_locks import MaildropLocks
from ..batch import BatchLimits
from ..engine import IReactor
from ..store import SQLStore
from .engine import SQLiteEngine
from .opening import Durability


@implementer(IMaildropLock)
class SQLiteStore(SQLStore):
    """
    All durable doors on one file; see the module.

    Maildrop locks are kept in memory: the end of the process must free the maildrops.

    Args:
        path: the database file; beside it lie its `-wal`, `-shm` and `.lock`. Its folder exists.
        reactor: IReactorTime and IReactorFromThreads; its `seconds` are seconds since the epoch.
        durability: what a commit waits for.
        limits: how much goes into one commit.
        reader_threads: threads that read, each with a connection.
    """

    def __init__(
        self,
        path: Path | str,
        *,
        reactor: IReactor,
        durability: Durability = Durability.FULL,
        limits: BatchLimits | None = None,
        reader_threads: int = 2,
    ) -> None:
        super().__init__(lambda: SQLiteEngine(Path(path), durability), reactor, limits or BatchLimits(), reader_threads)
        self._locks = MaildropLocks()

    def acquire(self, account: str, holder: str, lifetime_seconds: float) -> Deferred[None]:
        """See IMaildropLock."""
        if not self._machinery.running:
            return fail(Unavailable("the store is stopped"))
        now = self._reactor.seconds()
        try:
            self._locks.acquire(account, holder, now, now + lifetime_seconds)
        except InUse as error:
            return fail(error)
        return succeed(None)

    def release(self, account: str, holder: str) -> Deferred[None]:
        """See IMaildropLock."""
        self._locks.release(account, holder)
        return succeed(None)

    def _account_removed(self, name: str) -> None:
        self._locks.forget(name)
