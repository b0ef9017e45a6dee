"""PostgresStore: all durable doors on one PostgreSQL database, which any number of nodes may share."""

from __future__ import annotations

from twisted.internet.defer import Deferred
from zope.interface import implementer

from ....interfaces.store import IMaildropLock
from ....mail.quota import NO_RULES, QuotaRules
from ...history import HISTORY_SECONDS
from ...maildir.tree import Tree
from ..batch import BatchLimits
from ..engine import IReactor
from ..store import SQLStore
from . import maildrops
from .dialect import PARTITIONS
from .engine import PostgresEngine


@implementer(IMaildropLock)
class PostgresStore(SQLStore):
    """
    All durable doors on one database; see the module.

    Args:
        dsn: a connection string of libpq. Of several hosts, the one that takes writes is worked with; when it is gone,
            the one that takes its place.
        reactor: IReactorTime and IReactorFromThreads; its `seconds` are seconds since the epoch.
        limits: how much goes into one commit.
        reader_threads: threads that read, each with a connection.
        tree: where messages of mailboxes are files; without one they are in the database.
        rules: how much accounts may hold that have no limits of their own.
        partitions: into how many parts the tables are made that grow; heeded when the tables are made.
    """

    def __init__(
        self,
        dsn: str,
        *,
        reactor: IReactor,
        limits: BatchLimits | None = None,
        reader_threads: int = 4,
        partitions: int = PARTITIONS,
        tree: Tree | None = None,
        rules: QuotaRules = NO_RULES,
        history_seconds: float = HISTORY_SECONDS,
    ) -> None:
        super().__init__(
            lambda: PostgresEngine(dsn, partitions),
            reactor,
            limits or BatchLimits(operations=50),
            reader_threads,
            tree,
            rules,
            history_seconds,
        )

    def acquire(self, account: str, holder: str, lifetime_seconds: float) -> Deferred[None]:
        """See IMaildropLock."""
        now = self._reactor.seconds()
        return self._write(lambda state: maildrops.acquire(state, account, holder, now, now + lifetime_seconds))

    def release(self, account: str, holder: str) -> Deferred[None]:
        """See IMaildropLock."""
        return self._write(lambda state: maildrops.release(state, account, holder))
