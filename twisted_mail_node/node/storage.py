"""The durable doors as the configuration wants them. All of them are one object, so that one commit serves them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, assert_never

from ..auth.passwords import Cost, Passwords
from ..auth.threads import HashingThreads
from ..interfaces.required_store import IBasicStore
from ..mail.errors import PermanentFailure
from ..mail.quota import QuotaLimits, QuotaRules
from ..store.maildir.tree import Tree
from ..store.memory import MemoryStore
from ..store.sql import SQLiteStore, examine
from .blocking import wait_for
from .config import Config
from .doors import Doors, all_in_one
from .errors import CannotStart

Reactor = Any
"""A reactor provides more interfaces than one type has names."""


def make_storage(config: Config, database: Path, reactor: Reactor) -> Doors:
    """
    The storage, not started. `database` is where a store that keeps a file has it.

    Raises: CannotStart: the configured kind cannot be had.
    """
    match config.store.kind:
        case "memory":
            memory = MemoryStore(reactor, rules_of(config), config.store.history)
            return all_in_one(memory)
        case "sqlite":
            sqlite = SQLiteStore(
                database,
                reactor=reactor,
                tree=maildirs(config),
                rules=rules_of(config),
                history_seconds=config.store.history,
            )
            return all_in_one(sqlite)
        case "postgres":
            with _needing_psycopg():
                from ..store.sql.postgres import PostgresStore

                dsn = config.store.dsn.get_secret_value()
                postgres = PostgresStore(
                    dsn,
                    reactor=reactor,
                    tree=maildirs(config),
                    rules=rules_of(config),
                    history_seconds=config.store.history,
                )
            return all_in_one(postgres)
        case _:
            assert_never(config.store.kind)


def rules_of(config: Config) -> QuotaRules:
    """How much accounts may hold that have no limits of their own."""
    quota = config.quota
    return QuotaRules(QuotaLimits(quota.size or None, quota.messages or None), for_good=quota.full == "refuse")


def server_of(config: Config) -> str | None:
    """The database server that mail is kept in, for messages; None where it is in the state folder."""
    if config.store.kind != "postgres":
        return None
    from ..store.sql.postgres.opening import parameters_of, place_of

    return place_of(parameters_of(config.store.dsn.get_secret_value()))


def maildirs(config: Config) -> Tree | None:
    """Where messages are files, if they are."""
    if config.store.bodies == "database":
        return None
    return Tree(config.state_dir / config.store.maildir, shared=config.store.maildir_group)


@contextmanager
def _needing_psycopg() -> Iterator[None]:
    try:
        yield
    except ImportError as error:
        raise CannotStart(
            f'kind = "postgres" in [store] needs psycopg ({error}): pip install "twisted-mail-node[postgres]"'
        ) from error
    except PermanentFailure as error:
        raise CannotStart(error.text) from error


def try_storage(config: Config, database: Path) -> None:
    """
    Open the storage and close it again, where no reactor runs yet: makes and migrates it.

    Raises: CannotStart: it can't be opened; the text names the remedy.
    """
    if config.store.kind == "memory":
        return
    _try(lambda reactor: make_storage(config, database, reactor).store)


def try_file(database: Path) -> None:
    """
    Open an SQLite store and close it again, as `try_storage`.

    Raises: CannotStart: as there.
    """
    _try(lambda reactor: SQLiteStore(database, reactor=reactor))


def _try(make: Callable[[Reactor], IBasicStore]) -> None:
    async def open_and_close(reactor: Reactor) -> None:
        store = make(reactor)
        await store.start()
        await store.stop()

    try:
        wait_for(open_and_close)
    except PermanentFailure as error:
        raise CannotStart(error.text) from error


def examine_storage(config: Config, database: Path) -> None:
    """
    Say whether the storage could be opened, without changing anything.

    Raises: CannotStart: as `try_storage`.
    """
    if config.store.kind == "memory":
        return
    try:
        if config.store.kind == "postgres":
            with _needing_psycopg():
                from ..store.sql.postgres import examine as examine_server

                examine_server(config.store.dsn.get_secret_value())
            return
        examine(database)
    except PermanentFailure as error:
        raise CannotStart(error.text) from error


def make_passwords(config: Config, reactor: Reactor) -> tuple[Passwords, HashingThreads]:
    """What makes and verifies hashes, and its threads, not started."""
    threads = HashingThreads(reactor, at_once=config.auth.hashes_at_once)
    cost = Cost(
        memory_kib=config.auth.hash_memory // 1024, passes=config.auth.hash_passes, lanes=config.auth.hash_lanes
    )
    return Passwords(threads, reactor, cost, remember_seconds=config.auth.remember), threads
