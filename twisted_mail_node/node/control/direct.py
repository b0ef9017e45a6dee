"""The operator's commands on the store itself, while no node runs: also before the first start."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from ...mail.errors import MailError
from ..blocking import wait_for
from ..config import Config
from ..state import StateFolder
from ..storage import Reactor, make_passwords, make_storage
from .operations import JSON, Operations, Refusal


class StoreConnection:
    """
    Holds the state folder's lock, and opens the store for each operation.

    Raises: CannotStart: no state folder can be made or written; StateFolderInUse: a node has it; Refusal: the
    store is kept in memory, so only a running node has one.
    """

    def __init__(self, config: Config) -> None:
        if config.store.kind == "memory":
            raise Refusal("no node runs, and a store in memory is gone with its node")
        self._config = config
        self._state = StateFolder(config.state_dir)
        self._was = os.geteuid(), os.getegid()
        _act_as_owner(config.state_dir)
        try:
            self._state.open()
        except BaseException:
            self._act_as_before()
            raise

    def perform(self, name: str, arguments: dict[str, Any]) -> JSON:
        """See Operations.perform. Raises: Refusal."""

        async def in_store(reactor: Reactor) -> JSON:
            storage = make_storage(self._config, self._state.database, reactor)
            passwords, threads = make_passwords(self._config, reactor)
            await storage.store.start()
            threads.start()
            try:
                operations = Operations(
                    self._config,
                    storage.directory,
                    storage.queue,
                    passwords,
                    reactor.seconds,
                    self._state.forget_first_password,
                )
                return await operations.perform(name, arguments)
            finally:
                threads.stop()
                await storage.store.stop()

        try:
            return wait_for(in_store)
        except MailError as error:
            raise Refusal(error.text) from error

    def close(self) -> None:
        """Give the lock back."""
        self._state.close()
        self._act_as_before()

    def _act_as_before(self) -> None:
        user, group = self._was
        if user != os.geteuid():
            os.seteuid(user)
            os.setegid(group)


def _act_as_owner(folder: Path) -> None:
    """Root works as the user whom the folder belongs to: the node of that user has to read what is made there."""
    if os.geteuid() != 0 or not folder.is_dir():
        return
    owner = folder.stat()
    if owner.st_uid != 0:
        os.setegid(owner.st_gid)
        os.seteuid(owner.st_uid)
