"""Whether a file could serve as the store, found without changing anything: for who asks before a start."""

from __future__ import annotations

import os
from pathlib import Path

import apsw

from ....mail.errors import PermanentFailure
from .migration import version_of
from .opening import cannot_open


def examine(path: Path) -> None:
    """
    Look at the store's file while nobody works with it; one that does not exist would be made.

    Raises: PermanentFailure: it can't be opened, or is no file of ours; the text names the remedy.
    """
    if not path.exists():
        return
    if not path.is_file() or not os.access(path, os.R_OK | os.W_OK):
        why = "permission denied" if path.is_file() else "it is not a file"
        raise PermanentFailure(f"cannot open {path}: {why}")
    # Immutable: no files are made beside it.
    flags = apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI
    try:
        connection = apsw.Connection(f"{path.absolute().as_uri()}?immutable=1", flags=flags)
        try:
            version_of(connection)
        finally:
            connection.close()
    except apsw.Error as error:
        raise cannot_open(path, error) from error
