"""
The control socket of a running node: a unix socket for its owner alone, a JSON value a line, answers in order.

A request is `{"operation": name, "arguments": {...}}`; its answer `{"result": ...}` or `{"refused": text}`. Either may
have `"octets": n`: so many octets follow its line.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from twisted.internet.defer import CancelledError, Deferred, maybeDeferred, succeed
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IAddress, IListeningPort, IReactorUNIX
from twisted.internet.protocol import Factory
from twisted.logger import Logger
from twisted.protocols.basic import LineReceiver
from twisted.python.failure import Failure

from ..config.endpoint import EndpointParts
from ..errors import CannotStart
from ..listening import check_unix_path, remove_stale_socket
from .mail import MailDesk
from .operations import JSON, Operations, Refusal

MAX_REQUEST_OCTETS = 4 * 1024 * 1024
"""A request with the names of a large import fits; it comes from the node's owner."""

MAX_OCTETS = 4 * 1024 * 1024
"""Octets behind a request, at most."""

MAX_WAITING = 2
"""Requests with octets that are kept at a time; what comes then is not read yet."""


class ControlSocket:
    """Listens at `path` while the node runs."""

    def __init__(self, reactor: IReactorUNIX, path: Path) -> None:
        self._reactor = reactor
        self._parts = EndpointParts("unix", False, (str(path),), ())
        self._port: IListeningPort | None = None

    def check(self) -> None:
        """Raises: CannotStart: the path is too long."""
        check_unix_path(self._parts, "the node's control socket")

    def open(self, operations: Operations, make_desk: Callable[[], MailDesk]) -> None:
        """Take commands from now on, with a desk for the mail of each connection. Raises: CannotStart."""
        remove_stale_socket(self._parts)
        factory: Any = _ControlFactory(
            operations, make_desk
        )  # Any: listenUNIX is annotated for one type of protocol only.
        try:
            self._port = self._reactor.listenUNIX(self._parts.path, factory, mode=0o600)
        except CannotListenError as error:
            raise CannotStart(f"the node's control socket {self._parts.path} can't be opened: {error}") from error

    def close(self) -> Deferred[Any]:
        """Take no more commands. Fires when the socket is gone."""
        port, self._port = self._port, None
        return maybeDeferred(port.stopListening) if port is not None else succeed(None)


class _ControlProtocol(LineReceiver):
    """Answers one request after the other."""

    delimiter = b"\n"
    MAX_LENGTH = MAX_REQUEST_OCTETS

    _log = Logger()

    def __init__(self, operations: Operations, desk: MailDesk) -> None:
        self._operations = operations
        self._desk = desk
        self._last: Deferred[None] = succeed(None)
        self._waiting = 0
        self._request: JSON = None
        self._octets: list[bytes] = []
        self._missing = 0

    def lineReceived(self, line: bytes) -> None:
        """A request, or what stands in front of its octets; answered when those before it are."""
        try:
            self._request = json.loads(line)
            self._missing = int(self._request.get("octets", 0))
        except (ValueError, TypeError, AttributeError, RecursionError):
            self._request, self._missing = None, 0
        if not 0 <= self._missing <= MAX_OCTETS:
            # What follows can't be told from a request.
            self._log.warn("a command with {octets} octets was refused", octets=self._missing)
            if self.transport is not None:
                self.transport.loseConnection()
        elif self._missing:
            self.setRawMode()  # type: ignore[no-untyped-call]
        else:
            self._take(b"")

    def rawDataReceived(self, data: bytes) -> None:
        """A request's octets."""
        mine, rest = data[: self._missing], data[self._missing :]
        self._missing -= len(mine)
        self._octets.append(mine)
        if not self._missing:
            octets = b"".join(self._octets)
            self._octets.clear()
            self._waiting += 1
            if self._waiting >= MAX_WAITING:
                self.pauseProducing()  # type: ignore[no-untyped-call]
            self._take(octets)
            self.setLineMode(rest)  # type: ignore[no-untyped-call]

    def connectionLost(self, reason: Failure | None = None) -> None:
        """Nobody asks any more: when what was asked is done, what is not finished is given up."""
        self._last.addBoth(lambda _: self._desk.close())

    def _take(self, octets: bytes) -> None:
        request = self._request
        self._last.addCallback(lambda _: Deferred.fromCoroutine(self._answer(request, octets)))

    async def _answer(self, request: JSON, octets: bytes) -> None:
        answer, answer_octets = await self._performed(request, octets)
        if octets:
            self._waiting -= 1
            if self.paused and self._waiting < MAX_WAITING:
                self.resumeProducing()  # type: ignore[no-untyped-call]
        if answer_octets:
            answer["octets"] = len(answer_octets)
        if self.transport is not None:
            self.transport.write(json.dumps(answer).encode() + b"\n" + answer_octets)

    async def _performed(self, request: JSON, octets: bytes) -> tuple[dict[str, JSON], bytes]:
        try:
            operation, arguments = str(request["operation"]), request.get("arguments", {})
            if self._desk.knows(operation):
                result, answer_octets = await self._desk.perform(operation, arguments, octets)
                return {"result": result}, answer_octets
            result = await self._operations.perform(operation, arguments)
            if not operation.endswith((".list", ".show", ".check")):
                self._log.info("the operator did {operation}", operation=operation)
        except CancelledError:
            raise
        except Refusal as refusal:
            return {"refused": str(refusal)}, b""
        except (ValueError, KeyError, TypeError, AttributeError):
            return {"refused": "not a request"}, b""
        except Exception:
            self._log.failure("a command of the operator could not be done")
            return {"refused": "the node could not do it; its log says why"}, b""
        return {"result": result}, b""


class _ControlFactory(Factory[_ControlProtocol]):
    noisy = False

    def __init__(self, operations: Operations, make_desk: Callable[[], MailDesk]) -> None:
        self._operations = operations
        self._make_desk = make_desk

    def logPrefix(self) -> str:
        """See ILoggingContext."""
        return "control"

    def buildProtocol(self, addr: IAddress | None) -> _ControlProtocol:
        """See IProtocolFactory."""
        return _ControlProtocol(self._operations, self._make_desk())
