"""SQLiteStore: all durable doors on one SQLite file that one process owns."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from twisted.internet.defer import Deferred, fail, succeed
from zope.interface import implementer

from ....interfaces.deferred import returns_deferred
from ....interfaces.store import IBackup, IMaildropLock
from ....mail.errors import InUse, Unavailable
from ....mail.quota import NO_RULES, QuotaRules
from ...history import HISTORY_SECONDS
from ...maildir.tree import Tree
from ...maildrop_locks import MaildropLocks
from ..batch import BatchLimits
from ..connection import Connection, WritingConnection
from ..engine import IReactor
from ..store import SQLStore
from .backup import Backup
from .connection import SQLiteConnection
from .engine import SQLiteEngine
from .migration import check_room
from .opening import Durability


@implementer(IMaildropLock, IBackup)
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
        tree: where messages of mailboxes are files; without one they are in the database.
        rules: how much accounts may hold that have no limits of their own.
        history_seconds: how long it is remembered one by one what was expunged (RFC 7162 §5.3).
    """

    def __init__(
        self,
        path: Path | str,
        *,
        reactor: IReactor,
        durability: Durability = Durability.FULL,
        limits: BatchLimits | None = None,
        reader_threads: int = 2,
        tree: Tree | None = None,
        rules: QuotaRules = NO_RULES,
        history_seconds: float = HISTORY_SECONDS,
    ) -> None:
        super().__init__(
            lambda: SQLiteEngine(Path(path), durability),
            reactor,
            limits or BatchLimits(),
            reader_threads,
            tree,
            rules,
            history_seconds,
        )
        self._locks = MaildropLocks()
        self._backups: dict[Backup, Deferred[None]] = {}

    @returns_deferred
    async def stop(self) -> None:
        """See IMailStore. A backup that is being made is given up."""
        for backup, made in list(self._backups.items()):
            backup.give_up()
            await made.addErrback(lambda failure: None)
        await super().stop()

    # -- IBackup ---------------------------------------------------------------------------------------------

    @returns_deferred
    async def back_up(self, target: Path, told: Callable[[int, int], None]) -> None:
        """See IBackup. `told` is called with pages."""
        with_checksums = await self._read(lambda connection: _prepared(connection, target))
        if not self._machinery.running:
            raise Unavailable("the store is stopped")
        made: Deferred[None] = Deferred()

        def in_reactor(failure: Exception | None) -> None:
            backup.join()
            # Whoever stops the store may wait for it as well.
            del self._backups[backup]
            if failure is None:
                made.callback(None)
            else:
                made.errback(failure)

        backup = Backup(
            self._between_commits,
            target,
            with_checksums,
            lambda copied, pages: self._reactor.callFromThread(told, copied, pages),
            lambda failure: self._reactor.callFromThread(in_reactor, failure),
        )
        outcome: Deferred[None] = Deferred(lambda _: backup.give_up())
        self._backups[backup] = made
        backup.start()
        made.chainDeferred(outcome)
        await outcome

    def _between_commits(self, work: Callable[[SQLiteConnection], None]) -> None:
        def on_writer(connection: WritingConnection) -> None:
            assert isinstance(connection, SQLiteConnection)
            work(connection)

        self._machinery.between_commits(on_writer)

    # -- IMaildropLock ---------------------------------------------------------------------------------------

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


def _prepared(connection: Connection, target: Path) -> bool:
    """Whether the pages have checksums. Raises PermanentFailure where there is no room for a copy."""
    assert isinstance(connection, SQLiteConnection)
    check_room(connection, target.parent, "a backup")
    return connection.checks_pages
