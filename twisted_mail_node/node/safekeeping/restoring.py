"""Restoring a backup in the state folder. What was there before is kept aside."""

from __future__ import annotations

import os
from dataclasses import asdict
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

from ...store.sql.sqlite.backup import sync_file
from ...store.sql.sqlite.engine import UntouchedEngine
from ...store.sql.sqlite.restoring import restore
from ...store.sql.verification import Scope, verify
from ..config import Config
from ..control.operations import JSON, Refusal
from .engines import Told, sqlite_only

LISTED = 5


def restore_backup(
    config: Config, database: Path, backup: Path, told: Told, *, replace: bool, unchanged: bool, damaged_too: bool
) -> JSON:
    """
    Make the backup the store, while no node runs. Blocks.

    Raises: Refusal; MailError: it could not be done, the text says why.
    """
    sqlite_only(config)
    if not backup.is_file():
        raise Refusal(f"there is no backup {backup}")
    if database.exists() and not replace:
        raise Refusal(
            f"there is a store already: {database}; --replace puts the backup in its place, and keeps it aside"
        )
    now = datetime.now(UTC)
    made = database.with_name(database.name + ".restoring")
    made.unlink(missing_ok=True)
    try:
        restored = restore(
            backup, made, now.timestamp(), told, lambda path: _check(path, damaged_too), unchanged=unchanged
        )
        aside = _put_in_place(made, database, now)
    except OSError as error:
        raise Refusal(f"{backup} can't be restored: {error.strerror}") from error
    return {"store": str(database), "kept": str(aside) if aside else None} | asdict(restored)


def _check(made: Path, damaged_too: bool) -> None:
    losses = [
        f"{finding.place}: {finding.kind.meaning} ({finding.detail})"
        for finding in verify(UntouchedEngine(made), Scope(fast=True), lambda *progress: None)
        if finding.kind.is_loss
    ]
    if losses and not damaged_too:
        more = [f"and {len(losses) - LISTED} more"] if len(losses) > LISTED else []
        text = "\n  ".join(["the backup is not whole; --damaged-too takes it nevertheless", *losses[:LISTED], *more])
        raise Refusal(text)


def _put_in_place(made: Path, database: Path, now: datetime) -> Path | None:
    """At no moment is there no store: a start in between would make an empty one."""
    if not database.exists():
        os.rename(made, database)
        sync_file(database.parent)
        return None
    aside = _unused(database.with_name(f"{database.name}.replaced-{now:%Y%m%d-%H%M%S}"))
    # A log that is left would be taken for that of the new file.
    for suffix in ("-wal", "-shm"):
        log = database.with_name(database.name + suffix)
        if log.exists():
            os.rename(log, aside.with_name(aside.name + suffix))
    os.link(database, aside)
    os.replace(made, database)
    sync_file(database.parent)
    return aside


def _unused(path: Path) -> Path:
    names = (path if number == 1 else path.with_name(f"{path.name}-{number}") for number in count(1))
    return next(name for name in names if not name.exists())
