"""
Backups: of a store in use by its node, asked for over the control socket; of one that rests, by whoever asks.

What is in a backup is the store: mail, users, aliases, the queue. Certificates and the configuration are the
operator's files, and are not.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from twisted.internet.defer import CancelledError, Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from ...interfaces.store import IBackup, IMailStore
from ...mail.errors import MailError
from ...store.sql.sqlite.backup import copy_file
from ...store.sql.sqlite.migration import check_room
from ...store.sql.sqlite.opening import open_reader
from ..config import Config
from ..control.operations import JSON, Operation, Refusal
from .engines import Told, sqlite_only


def target_of(given: Path, now: datetime | None = None) -> Path:
    """The file that a backup is to be: what was given, or in that folder one named after the time."""
    if not given.is_dir():
        return given.absolute()
    moment = (now or datetime.now(UTC)).strftime("%Y%m%d-%H%M%S")
    return given.absolute() / f"mail-{moment}.sqlite"


def back_up_resting(config: Config, database: Path, target: Path, told: Told) -> None:
    """
    Back up the store while no node runs. Blocks.

    Raises: Refusal; MailError: it could not be done, the text says why.
    """
    sqlite_only(config)
    if not database.exists():
        raise Refusal(f"there is no store {database}")
    source = open_reader(database)
    try:
        check_room(source, target.parent, f"a backup of {database}")
        copy_file(source, target, told)
    except OSError as error:
        raise Refusal(f"cannot write {target}: {error.strerror}") from error
    finally:
        source.close()


class Backups:
    """The running node's part: one backup at a time, as operations by name."""

    _log = Logger()

    def __init__(self, config: Config, store: IMailStore) -> None:
        self._config = config
        self._store = store
        self._making: Deferred[None] | None = None
        self._state: dict[str, JSON] = {}
        self.by_name: dict[str, Operation] = {
            "backup.begin": self._begin,
            "backup.show": self._show,
            "backup.end": self._end,
        }

    async def _begin(self, arguments: Mapping[str, JSON]) -> JSON:
        """Begin one as the file `target`, told with its whole path."""
        sqlite_only(self._config)
        if not IBackup.providedBy(self._store):
            raise Refusal("this node's store cannot be copied while it runs")
        if self._making is not None:
            raise Refusal(f"a backup to {self._state['target']} is being made")
        target = Path(arguments["target"])
        if not target.is_absolute():
            raise Refusal(f"{target} is no whole path")
        self._state = {"target": str(target), "done": 0, "of": 0, "state": "running"}
        self._log.info("a backup to {target} has begun", target=str(target))
        self._making = self._store.back_up(target, self._told)
        self._making.addBoth(self._made)
        return self._state

    def _told(self, done: int, of: int) -> None:
        self._state["done"], self._state["of"] = done, of

    def _made(self, result: Failure | None) -> None:
        self._making = None
        if result is None:
            self._state["state"] = "made"
            self._log.info("the backup {target} was made", target=self._state["target"])
            return
        self._state["state"] = "failed"
        if result.check(CancelledError):
            self._state["reason"] = "it was given up"
        elif isinstance(result.value, MailError):
            self._state["reason"] = result.value.text
        else:
            self._log.failure("a backup failed", result)
            self._state["reason"] = "the node's log says why"
        self._log.warn("no backup {target}: {reason}", target=self._state["target"], reason=self._state["reason"])

    async def _show(self, arguments: Mapping[str, JSON]) -> JSON:
        if not self._state:
            raise Refusal("no backup was made since the node was started")
        return self._state

    async def _end(self, arguments: Mapping[str, JSON]) -> JSON:
        """Give up the one that is being made, if there is one."""
        if self._making is not None:
            self._making.cancel()
        return self._state
