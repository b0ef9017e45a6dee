"""The operator's commands on the store itself, while no node runs: also before the first start."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred

from ...mail.errors import MailError
from ..blocking import OwnReactor
from ..config import Config
from ..credentials import make_verifiers
from ..owner import ActingAs
from ..state import StateFolder
from ..storage import Reactor, make_passwords, make_storage
from .guessing import GuessingDesk
from .mail import MailDesk
from .operations import JSON, Operations, Refusal
from .quota import QuotaDesk
from .waiting import Waiting


class StoreConnection:
    """
    Holds the state folder's lock, and the store open from the first operation on.

    Raises: CannotStart: no state folder can be made or written; StateFolderInUse: a node has it; Refusal: the
    store is kept in memory, so only a running node has one.
    """

    def __init__(self, config: Config) -> None:
        if config.store.kind == "memory":
            raise Refusal("no node runs, and a store in memory is gone with its node")
        self._state = StateFolder(config.state_dir)
        self._store = _Store(config, self._state)
        self._acting = ActingAs(config.state_dir)
        try:
            self._state.open()
        except BaseException:
            self._store.close()
            self._acting.end()
            raise

    @property
    def database(self) -> Path:
        """The file of a store that has one."""
        return self._state.database

    def perform(self, name: str, arguments: dict[str, Any]) -> JSON:
        """See Operations.perform. Raises: Refusal."""
        return self.begin(name, arguments).wait()[0]

    def begin(self, name: str, arguments: dict[str, Any], octets: bytes = b"") -> Waiting:
        """See Access. Raises: Refusal: the store can't be opened."""
        return self._store.begin(name, arguments, octets)

    def close(self) -> None:
        """Close the store, and give the lock back."""
        try:
            self._store.close()
        finally:
            self._state.close()
            self._acting.end()


class _Store:
    """The store, opened by the first operation, with what performs operations on it."""

    def __init__(self, config: Config, state: StateFolder) -> None:
        self._own = OwnReactor()
        reactor: Reactor = self._own.reactor
        try:
            self._storage = make_storage(config, state.database, reactor)
        except BaseException:
            self._own.close()
            raise
        passwords, self._threads = make_passwords(config, reactor)
        self._is_open = False
        self._desk = MailDesk(self._storage.store)
        self._operations = Operations(
            config,
            self._storage.directory,
            self._storage.queue,
            passwords,
            reactor.seconds,
            state.forget_first_password,
            others={**GuessingDesk(None).by_name, **QuotaDesk(self._storage.store).by_name},
            verifiers=make_verifiers(config, self._storage.directory, self._threads),
        )

    def begin(self, name: str, arguments: dict[str, Any], octets: bytes) -> Waiting:
        """See Access. Raises: Refusal: the store can't be opened."""
        if not self._is_open:
            self._open()
        return self._own.begin(self._perform(name, arguments, octets))

    def _open(self) -> None:
        try:
            self._own.begin(_awaited(self._storage.store.start())).wait()
        except MailError as error:
            raise Refusal(error.text) from error
        self._threads.start()
        self._is_open = True

    async def _perform(self, name: str, arguments: dict[str, Any], octets: bytes) -> tuple[JSON, bytes]:
        if self._desk.knows(name):
            return await self._desk.perform(name, arguments, octets)
        try:
            return await self._operations.perform(name, arguments), b""
        except MailError as error:
            raise Refusal(error.text) from error

    def close(self) -> None:
        """Close it."""
        is_open, self._is_open = self._is_open, False
        try:
            if is_open:
                self._desk.close()
                self._threads.stop()
                self._own.begin(_awaited(self._storage.store.stop())).wait()
        finally:
            self._own.close()


async def _awaited(deferred: Deferred[None]) -> None:
    await deferred
