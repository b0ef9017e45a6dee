"""Looking at the store, whether or not a node runs, and mending what can be mended while none does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ...mail.errors import NoSuchAccount
from ...store.sql.engine import Engine
from ...store.sql.verification import Finding, Progress, Scope, repair, verify
from ..config import Config
from ..control.operations import Refusal
from ..storage import maildirs
from .engines import engine_of, sqlite_only


def findings(config: Config, database: Path, scope: Scope, progress: Progress) -> Iterator[Finding]:
    """
    What is not as it should be. Blocks.

    Raises: Refusal; MailError: it could not be looked at, the text says why.
    """
    engine = engine_of(config, database)
    try:
        yield from verify(engine, scope, progress, maildirs(config))
    except NoSuchAccount as error:
        raise Refusal(error.text) from error
    except engine.errors as error:
        raise Refusal(f"{engine.name} cannot be looked at: {error}") from error


class Repair:
    """Mends findings; opened while no node runs, and closed."""

    def __init__(self, config: Config, database: Path) -> None:
        """Raises: Refusal; MailError: the store cannot be opened."""
        sqlite_only(config)
        self._engine: Engine = engine_of(config, database)
        self._engine.acquire()
        try:
            self._connection = self._engine.open_writer(lambda: 0.0, ()).connection
        except BaseException:
            self._engine.release()
            raise

    def mend(self, finding: Finding) -> bool:
        """Mend what was found. Returns whether it could be."""
        try:
            return repair(self._connection, finding)
        except self._engine.errors:
            return False  # What it is about cannot be read or written: a finding of its own says so.

    def close(self) -> None:
        """Done."""
        self._connection.close()
        self._engine.release()
