"""The database of the configured store, for who looks at it from outside of a node."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ...mail.errors import PermanentFailure
from ...store.sql.engine import Engine
from ...store.sql.sqlite.engine import SQLiteEngine
from ...store.sql.sqlite.opening import Durability
from ..config import Config
from ..control.operations import Refusal

Told = Callable[[int, int], None]
"""Called with how much is done, and how much there is to do."""

BY_POSTGRES = """\
the mail is in PostgreSQL, whose own means are the way: they copy it while all nodes run.
  one database:  pg_dump --format=custom --file=mail.dump "$DSN"
                 pg_restore --clean --if-exists --dbname="$DSN" mail.dump     (while no node runs)
  a whole server, with what comes until the last second:
                 pg_basebackup --pgdata=FOLDER --wal-method=stream, and archived WAL
DSN is `dsn` in [store]."""


def engine_of(config: Config, database: Path) -> Engine:
    """
    The database, not opened.

    Raises: Refusal: the store is kept in memory, or there is none yet; CannotStart: it cannot be had.
    """
    match config.store.kind:
        case "sqlite":
            if not database.exists():
                raise Refusal(f"there is no store {database}")
            return SQLiteEngine(database, Durability.FULL)
        case "postgres":
            try:
                from ...store.sql.postgres.engine import PostgresEngine

                return PostgresEngine(config.store.dsn.get_secret_value())
            except ImportError as error:
                raise Refusal(f"this needs psycopg ({error}): pip install twisted-mail-node[postgres]") from error
            except PermanentFailure as error:
                raise Refusal(error.text) from error
        case _:
            raise Refusal("a store in memory is gone with its node: there is nothing to look at")


def sqlite_only(config: Config) -> None:
    """Raises Refusal, with what to do instead, where the store is no file."""
    if config.store.kind == "postgres":
        raise Refusal(BY_POSTGRES)
    if config.store.kind != "sqlite":
        raise Refusal("a store in memory is gone with its node: there is nothing to keep")
