"""
A node's life: ports and keys while the process may be root, state and threads after the uid switch, then service.

What goes wrong before the reactor runs is raised as CannotStart, with nothing half-made left; what goes wrong
later makes `when_serving` fail. Neighbours: `assemble` makes the rooms, `listening` the ports, `first_start` what
a start without a configuration file needs besides.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from twisted.application.service import MultiService
from twisted.internet.defer import CancelledError, Deferred, gatherResults, maybeDeferred
from twisted.internet.defer import TimeoutError as WaitedTooLong
from twisted.logger import Logger
from twisted.python.failure import Failure

from ..auth.threads import HashingThreads
from ..interfaces.deferred import returns_deferred
from ..interfaces.store import IDirectory
from ..mail.errors import MailError
from .config import Config
from .connection_limits import ConnectionLimits
from .control.mail import MailDesk
from .control.operations import Hasher, Operations
from .control.server import ControlSocket
from .doors import Doors
from .errors import CannotStart
from .first_start import load_own_certificate, make_first_account, make_postmaster
from .listening import Listener, Listening
from .state import FIRST_ACCOUNT, StateFolder
from .storage import Reactor, server_of
from .tls import Renewal, ServerTLS, check_trusted_certificates

PORTS_SECONDS = 1.0
"""How long closing ports, and later sockets for look-ups, may take."""

GOODBYE_SECONDS = 3.0
"""How long clients may take to go when they are told that the node stops, and deliveries to end."""

STORE_SECONDS = 2.5
"""How long the store may take to finish its commits and close. Stopping stays within 8 seconds in all."""

# Any: whatever the room's own Deferred fires with.
Step = Callable[[], Deferred[Any] | None]


@dataclass(frozen=True, kw_only=True)
class Rooms:
    """
    What a node consists of, made but not started.

    Each of `goodbye` tells the clients of a factory that the node stops, and fires when they are gone.
    `try_storage` raises CannotStart where the storage can't be opened. `start_sending` and `stop_sending` are for the
    queue; `stop_asking` ends look-ups in DNS.
    """

    storage: Doors
    try_storage: Callable[[], None]
    hasher: Hasher
    threads: HashingThreads
    tls: ServerTLS
    renewal: Renewal
    limits: ConnectionLimits
    listening: Sequence[Listening]
    operations: Operations
    goodbye: Sequence[Step]
    start_sending: Step
    stop_sending: Step
    stop_asking: Step


class MailNode(MultiService):
    """
    One node. Made by `assemble`; several may live in one process. Started and stopped once.

    Attributes: `config`; `reactor`; `state`, its folder; `storage`, its durable doors; `operations`, what the
    operator can do.
    """

    _log = Logger()

    def __init__(self, config: Config, reactor: Reactor, state: StateFolder, rooms: Rooms) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.config = config
        self.state = state
        self.storage = rooms.storage
        self.operations = rooms.operations
        self.reactor = reactor
        self._rooms = rooms
        self._control = ControlSocket(reactor, state.control_socket)
        self._ports_are_bound = False
        self._beginning: Deferred[None] | None = None
        self._serving: Failure | bool = False
        self._waiting: list[Deferred[None]] = []

    @property
    def listeners(self) -> Sequence[Listener]:
        """Where the node listens now, with the ports that it got."""
        return tuple(listening.listener for listening in self._rooms.listening if listening.is_bound)

    def when_serving(self) -> Deferred[None]:
        """
        Fires when all services take clients (at once if they do). Fails with CannotStart if it can't be.

        And with CancelledError, if the node is stopped before.
        """
        waiting: Deferred[None] = Deferred()
        if isinstance(self._serving, Failure):
            waiting.errback(self._serving)
        elif self._serving:
            waiting.callback(None)
        else:
            self._waiting.append(waiting)
        return waiting

    def reload_certificate(self) -> None:
        """
        Read certificates and keys again: connections from now on get them. While the node runs.

        It does so by itself, too, when their files have changed. Raises: CannotStart: they can't be used; the old
        ones stay.
        """
        self._rooms.renewal.reload()

    # -- start ------------------------------------------------------------------------------------------------------

    def privilegedStartService(self) -> None:
        """Bind ports and read keys, perhaps as root. Raises: CannotStart."""
        super().privilegedStartService()  # type: ignore[no-untyped-call]
        with self._undone_on_failure():
            self._control.check()
            if self.config.tls is not None:
                self._rooms.tls.load(self.config.tls)
            check_trusted_certificates(self.config.relay.trusted_certificates)
            for listening in self._rooms.listening:
                if not listening.is_in_state_folder:
                    listening.bind()
        self._ports_are_bound = True

    def startService(self) -> None:
        """Open the state folder, and begin to serve. Raises: CannotStart."""
        if not self._ports_are_bound:
            self.privilegedStartService()
        with self._undone_on_failure():
            self._open_state()
        super().startService()  # type: ignore[no-untyped-call]
        self._beginning = self._begin()

    def _open_state(self) -> None:
        self.state.open()
        self.state.tell_not_listening()
        if not self.state.is_private():
            self._log.warn("others can look into the state folder {path}: chmod 700 it", path=str(self.state.path))
        if self.config.tls is None and self.config.without_file:
            load_own_certificate(self._rooms.tls, self.state, (self.config.hostname, *self.config.domains))
        for listening in self._rooms.listening:
            if listening.is_in_state_folder:
                listening.bind()
        if not self.reactor.running:
            # A failure now ends the process with its reason; once the reactor runs it would be too late for that.
            self._rooms.try_storage()

    @returns_deferred
    async def _begin(self) -> None:
        rooms = self._rooms
        try:
            await rooms.storage.start()
            rooms.threads.start()
            await self._make_accounts(rooms.storage.directory, rooms.hasher)
            await maybeDeferred(rooms.start_sending)
            self._control.open(rooms.operations, lambda: MailDesk(rooms.storage.store))
            for listening in rooms.listening:
                listening.accept()
            self.state.tell_listening([listener.as_json() for listener in self.listeners])
            rooms.renewal.start()
            await self._tell_operator()
        except CancelledError:
            raise
        except Exception as error:
            await self._could_not_begin(error)
            return
        self._now(True)

    async def _make_accounts(self, directory: IDirectory, hasher: Hasher) -> None:
        if self.config.without_file:
            await make_first_account(self.state, directory, hasher, self.config.new_mailboxes)
        else:
            await make_postmaster(directory, f"postmaster@{self.config.domains[0]}", self.config.new_mailboxes)

    async def _could_not_begin(self, error: Exception) -> None:
        if isinstance(error, CannotStart | MailError):
            failure = Failure(CannotStart(str(error)))
        else:
            self._log.failure("the node can't start")
            failure = Failure(CannotStart(f"the node can't start: {error}"))
        await self._shut_down()
        self._log.critical("{reason}", reason=failure.getErrorMessage())
        self._now(failure)

    def _now(self, serving: Failure | bool) -> None:
        self._serving = serving
        waiting, self._waiting = self._waiting, []
        for deferred in waiting:
            if isinstance(serving, Failure):
                deferred.errback(serving)
            else:
                deferred.callback(None)

    async def _tell_operator(self) -> None:
        for listener in self.listeners:
            self._log.info("{listener}", listener=str(listener))
        self._log.info("state is kept in {path}", path=str(self.state.path))
        if server := server_of(self.config):
            self._log.info("mail is kept in {server}", server=server)
        users = await self._rooms.storage.directory.users()
        password = self.state.first_password
        if self.config.without_file and password.exists() and password.stat().st_size:
            self._log.info("the password of {account} is in {path}", account=FIRST_ACCOUNT, path=str(password))
        if len(users) < 2:
            domain = self.config.domains[0]
            command = f"mailnode --state-dir {self.state.path} user add NAME@{domain}"
            self._log.info("next step, a user: {command}", command=command)

    @contextmanager
    def _undone_on_failure(self) -> Iterator[None]:
        try:
            yield
        except BaseException as error:
            self._undo_start()
            if isinstance(error, CannotStart):
                self._log.critical("{reason}", reason=str(error))
            raise

    def _undo_start(self) -> None:
        """Give back at once what a failed start took, whether or not a reactor runs."""
        for listening in self._rooms.listening:
            listening.close_now()
        self.state.discard_if_new()
        self._ports_are_bound = False
        self.running = 0

    # -- stop -------------------------------------------------------------------------------------------------------

    @returns_deferred
    async def stopService(self) -> None:
        """Take no more clients, tell those that are here, finish what was begun. Fires within 8 seconds."""
        await maybeDeferred(super().stopService)
        if self._beginning is not None:
            await self._within(STORE_SECONDS, "starting", [lambda: self._beginning])
        if not isinstance(self._serving, Failure):
            await self._shut_down()
            if self._waiting:
                self._now(Failure(CancelledError("the node was stopped before it served")))
        self._ports_are_bound = False
        self._serving = False

    async def _shut_down(self) -> None:
        rooms = self._rooms
        self.state.tell_not_listening()
        rooms.renewal.stop()
        closing: list[Step] = [listening.close for listening in rooms.listening]
        await self._within(PORTS_SECONDS, "closing ports", [*closing, self._control.close])
        leaving = [*rooms.goodbye, rooms.stop_sending]
        await self._within(GOODBYE_SECONDS, "taking leave of clients and other nodes", leaving)
        rooms.limits.abort_all()
        rooms.tls.handshakes.stop()
        await self._within(PORTS_SECONDS, "ending look-ups", [rooms.stop_asking])
        rooms.threads.stop()
        await self._within(STORE_SECONDS, "closing the store", [rooms.storage.stop])
        self.state.close()

    async def _within(self, seconds: float, doing: str, steps: Sequence[Step]) -> None:
        """Take the steps at once; what fails or takes too long is logged, and does not keep the rest from ending."""
        started = [maybeDeferred(step) for step in steps]
        for deferred in started:
            deferred.addTimeout(seconds, self.reactor)
            deferred.addErrback(self._not_done, doing)
        await gatherResults(started)

    def _not_done(self, failure: Failure, doing: str) -> None:
        if failure.check(WaitedTooLong, CancelledError):
            self._log.warn("{doing} takes too long, going on without", doing=doing)
        else:
            self._log.failure("{doing} failed", failure, doing=doing)
