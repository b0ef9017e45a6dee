"""
One listener: a Twisted endpoint, and what the node layers above it: PROXY header, TLS, TCP_NODELAY.

A port is bound early (while the process may be root) and accepts late (when the store is open); in between the
kernel keeps clients waiting. Does not decide what is spoken: it is given a factory.
"""

from __future__ import annotations

import os
import socket
import stat
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.endpoints import serverFromString
from twisted.internet.error import CannotListenError, ConnectionDone
from twisted.internet.interfaces import IListeningPort, IProtocolFactory, IReactorTime, IStreamServerEndpoint
from twisted.protocols.tls import TLSMemoryBIOFactory
from twisted.python.failure import Failure

from ..mail.envelope import Service
from ..mail.host import Network
from .config.endpoint import UNIX_PATH_OCTETS, EndpointParts, resolved_endpoint
from .config.sections import ListenSettings
from .errors import CannotStart, reason
from .proxied import BehindProxy
from .tls import ServerTLS

_SERVER_FROM_STRING: Callable[[object, str], IStreamServerEndpoint] = serverFromString

BACKLOG = 1024
"""Connections that wait in the kernel to be accepted (it may allow less). Twisted's own 50 are fewer than come in
one wave of clients; who finds no room has to try again, a second later and more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """
    Where a service is offered now.

    `host` and `port` for TCP, `path` for a unix socket; what does not apply is empty or 0.
    """

    service: str
    tls: str
    endpoint: str
    host: str = ""
    port: int = 0
    path: str = ""

    def as_json(self) -> dict[str, object]:
        """For listening.json: a path for a unix socket, else host and port."""
        told: dict[str, object] = {"service": self.service, "tls": self.tls, "endpoint": self.endpoint}
        return told | ({"path": self.path} if self.path else {"host": self.host, "port": self.port})

    def __str__(self) -> str:
        security = {"none": "", "starttls": " (STARTTLS)", "implicit": " (TLS)"}[self.tls]
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.service}{security} on {self.path or f'{host}:{self.port}'}"


class Listening:
    """Serves `factory` at one place of the configuration. `bind`, then `accept`, then `close`."""

    def __init__(
        self,
        reactor: IReactorTime,
        settings: ListenSettings,
        factory: IProtocolFactory,
        tls: ServerTLS,
        state_dir: Path,
        trusted_proxies: Sequence[Network],
    ) -> None:
        self.factory = factory
        self._settings = settings
        self._reactor = reactor
        self._state_dir = state_dir
        self._parts = resolved_endpoint(settings.endpoint, state_dir, state_dir)
        self._layered = factory
        if settings.tls == "implicit":
            serving = tls.serving(Service(settings.service), asks=settings.auth != "off")
            self._layered = TLSMemoryBIOFactory(serving, False, self._layered)
        if self._parts.proxied:
            self._layered = BehindProxy(self._layered, trusted_proxies, reactor)
        self._port: Any = None  # Any: IListeningPort, and what real ports have besides.

    @property
    def is_in_state_folder(self) -> bool:
        """Whether it can be bound only when the state folder is there."""
        return bool(self._parts.path) and Path(self._parts.path).is_relative_to(self._state_dir)

    @property
    def is_bound(self) -> bool:
        """Whether `bind` was successful, and `close` not called since."""
        return self._port is not None

    @property
    def listener(self) -> Listener:
        """Where it listens. Only while bound."""
        address = self._port.getHost()
        name = getattr(address, "name", None)
        return Listener(
            service=self._settings.service,
            tls="implicit" if self._parts.kind == "ssl" else str(self._settings.tls),
            endpoint=str(self._parts),
            host=getattr(address, "host", ""),
            port=getattr(address, "port", 0),
            path=os.fsdecode(name) if name else "",
        )

    def bind(self) -> None:
        """
        Take the port or socket, without accepting yet.

        Raises: CannotStart: it can't be had; the text says where and why.
        """
        check_unix_path(self._parts, self._settings.service)
        remove_stale_socket(self._parts)
        bound: list[IListeningPort] = []
        problems: list[Failure] = []
        try:
            endpoint = _SERVER_FROM_STRING(self._reactor, self._parts.with_backlog(BACKLOG).inner_text())
            endpoint.listen(self._layered).addCallbacks(bound.append, problems.append)
        except Exception as error:
            raise self._cannot(error) from error
        if problems:
            raise self._cannot(problems[0].value) from problems[0].value
        if not bound:
            raise CannotStart(f"{self._settings.service} can't listen on {self._parts}: it takes too long")
        self._port = bound[0]
        if hasattr(self._port, "stopReading"):
            self._port.stopReading()
        _set_no_delay(self._port)

    def accept(self) -> None:
        """Serve clients from now on."""
        if hasattr(self._port, "startReading"):
            self._port.startReading()

    def close(self) -> Deferred[object]:
        """Take no more clients. Fires when the port is free."""
        port, self._port = self._port, None
        return maybeDeferred(port.stopListening) if port is not None else maybeDeferred(lambda: None)

    def close_now(self) -> None:
        """The same where no reactor runs that could do it later: after a failed start."""
        port, self._port = self._port, None
        if port is not None:
            port.stopListening()
            if getattr(port, "connected", False):
                port.connectionLost(Failure(ConnectionDone("the node did not start")))

    def _cannot(self, error: BaseException | None) -> CannotStart:
        why = str(error)
        if isinstance(error, CannotListenError):
            inner = error.socketError
            why = reason(inner) if isinstance(inner, OSError) else str(inner)
            if self._parts.path and why == "Cannot acquire lock":
                why = "another program listens there already"
        elif isinstance(error, OSError):
            why = reason(error)
        elif isinstance(error, KeyError | IndexError) and self._parts.kind == "systemd":
            why = "systemd passed no such socket"
        return CannotStart(f"{self._settings.service} can't listen on {self._parts}: {why}")


def check_unix_path(parts: EndpointParts, what: str) -> None:
    """Raises: CannotStart: the path is longer than a unix socket's may be."""
    if len(os.fsencode(parts.path)) > UNIX_PATH_OCTETS:
        raise CannotStart(
            f"{what} can't listen on {parts.path}: the path is longer than {UNIX_PATH_OCTETS} octets, the most that a "
            f"unix socket may have; choose a shorter one, or a shorter state folder"
        )


def remove_stale_socket(parts: EndpointParts) -> None:
    """Remove a unix socket, and Twisted's lock beside it, that a killed process left: nobody answers there."""
    try:
        if not parts.path or not stat.S_ISSOCK(os.stat(parts.path).st_mode):
            return
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            probe.settimeout(1.0)
            probe.connect(parts.path)
    except ConnectionRefusedError:
        for stale in (parts.path, f"{parts.path}.lock"):
            try:
                os.unlink(stale)
            except OSError:
                continue
    except OSError:
        return


def _set_no_delay(port: Any) -> None:  # Any: see Listening.
    """Answers are written whole, so waiting for more to send only delays them. Connections inherit it."""
    bound = getattr(port, "socket", None)
    if bound is not None and bound.family in (socket.AF_INET, socket.AF_INET6):
        bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
