"""Bringing the store's tables to the newest version ahead of a start, or only trying it on a copy."""

from __future__ import annotations

import tempfile
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

import apsw

from ...mail.errors import PermanentFailure
from ...store.sql.schema import MIGRATIONS
from ...store.sql.sqlite.backup import copy_file
from ...store.sql.sqlite.engine import SQLiteEngine
from ...store.sql.sqlite.migration import check_room, version_of
from ...store.sql.sqlite.opening import Durability, cannot_open, open_reader
from ...store.sql.verification import Scope, verify
from ..config import Config
from ..control.operations import Refusal
from .engines import Told, sqlite_only


@dataclass(frozen=True, slots=True)
class Upgraded:
    """What was done: from which version to which, in how many seconds; `findings` are those that mean a loss."""

    before: int
    after: int
    seconds: float
    findings: tuple[str, ...] = ()


def upgrade(config: Config, database: Path, *, copy_first: bool) -> Upgraded:
    """
    Upgrade the store while no node runs. Blocks.

    Raises: Refusal; MailError: it could not be done, and nothing was changed; the text says why.
    """
    before = _version(config, database)
    engine = SQLiteEngine(database, Durability.FULL, copy_first=copy_first)
    engine.acquire()
    try:
        return _upgrade(engine, database, before)
    finally:
        engine.release()


def try_upgrade(config: Config, database: Path, folder: Path | None, told: Told) -> Upgraded:
    """
    The same with a copy, in a folder made for it in `folder`, which is verified then. The store may be in use. Blocks.

    Raises: as `upgrade`.
    """
    before = _version(config, database)
    with tempfile.TemporaryDirectory(prefix="mailnode-upgrade-", dir=folder or database.parent) as made:
        copy = Path(made) / database.name
        source = open_reader(database)
        try:
            check_room(source, copy.parent, "the copy to try it on")
            copy_file(source, copy, told)
        finally:
            source.close()
        engine = SQLiteEngine(copy, Durability.OFF, copy_first=False)
        upgraded = _upgrade(engine, copy, before)
        losses = tuple(
            f"{finding.place}: {finding.kind.meaning} ({finding.detail})"
            for finding in verify(engine, Scope(), lambda *progress: None)
            if finding.kind.is_loss
        )
        return Upgraded(upgraded.before, upgraded.after, upgraded.seconds, losses)


def _version(config: Config, database: Path) -> int:
    sqlite_only(config)
    if not database.exists():
        raise Refusal(f"there is no store {database}")
    try:
        with closing(open_reader(database)) as connection:
            return version_of(connection)
    except apsw.Error as error:
        raise cannot_open(database, error) from error


def _upgrade(engine: SQLiteEngine, database: Path, before: int) -> Upgraded:
    began = monotonic()
    try:
        engine.open_writer(lambda: 0.0, ()).connection.close()
    except apsw.Error as error:
        raise PermanentFailure(f"{database} can't be upgraded, and is as it was: {error}") from error
    return Upgraded(before, len(MIGRATIONS), round(monotonic() - began, 3))
