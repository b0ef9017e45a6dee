"""
The control socket of a running node: a unix socket for its owner alone, a JSON value a line, answers in order.

A request is `{"operation": name, "arguments": {...}}`; its answer `{"result": ...}` or `{"refused": text}`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred, maybeDeferred, succeed
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IAddress, IListeningPort, IReactorUNIX
from twisted.internet.protocol import Factory
from twisted.logger import Logger
from twisted.protocols.basic import LineOnlyReceiver

from ..config.endpoint import EndpointParts
from ..errors import CannotStart
from ..listening import check_unix_path, remove_stale_socket
from .operations import Operations, Refusal

MAX_REQUEST_OCTETS = 4 * 1024 * 1024
"""A request with the names of a large import fits; it comes from the node's owner."""


class ControlSocket:
    """Listens at `path` while the node runs."""

    def __init__(self, reactor: IReactorUNIX, path: Path) -> None:
        self._reactor = reactor
        self._parts = EndpointParts("unix", False, (str(path),), ())
        self._port: IListeningPort | None = None

    def check(self) -> None:
        """Raises: CannotStart: the path is too long."""
        check_unix_path(self._parts, "the node's control socket")

    def open(self, operations: Operations) -> None:
        """Take commands from now on. Raises: CannotStart."""
        remove_stale_socket(self._parts)
        factory: Any = _ControlFactory(operations)  # Any: listenUNIX is annotated for one type of protocol only.
        try:
            self._port = self._reactor.listenUNIX(self._parts.path, factory, mode=0o600)
        except CannotListenError as error:
            raise CannotStart(f"the node's control socket {self._parts.path} can't be opened: {error}") from error

    def close(self) -> Deferred[Any]:
        """Take no more commands. Fires when the socket is gone."""
        port, self._port = self._port, None
        return maybeDeferred(port.stopListening) if port is not None else succeed(None)


class _ControlProtocol(LineOnlyReceiver):
    """Answers one request after the other."""

    delimiter = b"\n"
    MAX_LENGTH = MAX_REQUEST_OCTETS

    _log = Logger()

    def __init__(self, operations: Operations) -> None:
        self._operations = operations
        self._last: Deferred[None] = succeed(None)

    def lineReceived(self, line: bytes) -> None:
        """A request; answered when those before it are."""
        self._last.addCallback(lambda _: Deferred.fromCoroutine(self._answer(line)))

    async def _answer(self, line: bytes) -> None:
        try:
            request = json.loads(line)
            operation = str(request["operation"])
            answer = {"result": await self._operations.perform(operation, request.get("arguments", {}))}
            if not operation.endswith((".list", ".show", ".check")):
                self._log.info("the operator did {operation}", operation=operation)
        except Refusal as refusal:
            answer = {"refused": str(refusal)}
        except (ValueError, KeyError, TypeError, AttributeError):
            answer = {"refused": "not a request"}
        except Exception:
            self._log.failure("a command of the operator could not be done")
            answer = {"refused": "the node could not do it; its log says why"}
        if self.transport is not None:
            self.transport.write(json.dumps(answer).encode() + b"\n")


class _ControlFactory(Factory[_ControlProtocol]):
    noisy = False

    def __init__(self, operations: Operations) -> None:
        self._operations = operations

    def logPrefix(self) -> str:
        """See ILoggingContext."""
        return "control"

    def buildProtocol(self, addr: IAddress | None) -> _ControlProtocol:
        """See IProtocolFactory."""
        return _ControlProtocol(self._operations)
