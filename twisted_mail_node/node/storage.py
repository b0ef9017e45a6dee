"""The durable doors as the configuration wants them. All of them are one object, so that one commit serves them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, assert_never

from ..auth.passwords import Cost, Passwords
from ..auth.threads import HashingThreads
from ..interfaces.queue import IQueueStore
from ..interfaces.store import IDirectory, IMaildropLock, IMailStore
from ..mail.errors import PermanentFailure
from ..store.memory import MemoryStore
from ..store.sql import SQLiteStore, examine
from .blocking import wait_for
from .config import Config
from .errors import CannotStart

Reactor = Any
"""A reactor provides more interfaces than one type has names."""


@dataclass(frozen=True, slots=True)
class Storage:
    """The durable doors."""

    store: IMailStore
    queue: IQueueStore
    directory: IDirectory
    lock: IMaildropLock


def make_storage(config: Config, database: Path, reactor: Reactor) -> Storage:
    """
    The storage, not started. `database` is where a store that keeps a file has it.

    Raises: CannotStart: the configured kind cannot be had.
    """
    match config.store.kind:
        case "memory":
            memory = MemoryStore(reactor)
            return Storage(memory, memory, memory, memory)
        case "sqlite":
            sqlite = SQLiteStore(database, reactor=reactor)
            return Storage(sqlite, sqlite, sqlite, sqlite)
        case "postgres":
            with _needing_psycopg():
                from ..store.sql.postgres import PostgresStore

                postgres = PostgresStore(config.store.dsn.get_secret_value(), reactor=reactor)
            return Storage(postgres, postgres, postgres, postgres)
        case _:
            assert_never(config.store.kind)


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

    async def open_and_close(reactor: Reactor) -> None:
        storage = make_storage(config, database, reactor)
        await storage.store.start()
        await storage.store.stop()

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
