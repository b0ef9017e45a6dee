"""The other end of the control socket: asks a running node, waiting for its answers."""

from __future__ import annotations

import json
import socket
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .operations import JSON, Refusal

ANSWER_SECONDS = 60.0


class NodeUnreachable(Exception):
    """No node answers at the control socket."""


class NodeConnection:
    """A connection to the control socket at `path`. Raises NodeUnreachable where no node listens."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(ANSWER_SECONDS)
        try:
            self._socket.connect(str(path))
        except OSError as error:
            self._socket.close()
            raise NodeUnreachable(f"no node answers at {path}: {error.strerror or error}") from error
        self._answers = self._socket.makefile("rb", buffering=256 * 1024)
        self._begun: deque[_Waiting] = deque()

    def perform(self, name: str, arguments: dict[str, Any]) -> JSON:
        """See Operations.perform. Raises: Refusal; NodeUnreachable: the node went away."""
        return self.begin(name, arguments).wait()[0]

    def begin(self, name: str, arguments: dict[str, Any], octets: bytes = b"") -> _Waiting:
        """See Access. At most a few can be begun and not waited for, or both ends wait for each other."""
        asked: dict[str, JSON] = {"operation": name, "arguments": arguments}
        if octets:
            asked["octets"] = len(octets)
        try:
            self._socket.sendall(json.dumps(asked).encode() + b"\n" + octets)
        except OSError as error:
            raise NodeUnreachable("the node does not answer") from error
        waiting = _Waiting(self._read_until)
        self._begun.append(waiting)
        return waiting

    def _read_until(self, wanted: _Waiting) -> None:
        """Read answers, which come in order, up to this one's."""
        while wanted.answer is None:
            waiting = self._begun.popleft()
            waiting.answer = self._read()

    def _read(self) -> tuple[JSON, bytes]:
        try:
            line = self._answers.readline()
            answer = json.loads(line) if line.endswith(b"\n") else None
            size = answer.get("octets", 0) if answer else 0
            octets = self._answers.read(size) if size else b""
        except OSError as error:
            raise NodeUnreachable("the node does not answer") from error
        if answer is None or len(octets) < size:
            raise NodeUnreachable("the node went away before it answered")
        return answer, octets

    def close(self) -> None:
        """Hang up."""
        self._answers.close()
        self._socket.close()


class _Waiting:
    """See Waiting."""

    def __init__(self, read_until: Callable[[_Waiting], None]) -> None:
        self.answer: tuple[JSON, bytes] | None = None
        self._read_until = read_until

    def wait(self) -> tuple[JSON, bytes]:
        """See Waiting."""
        if self.answer is None:
            self._read_until(self)
        assert self.answer is not None
        told, octets = self.answer
        if "refused" in told:
            raise Refusal(told["refused"])
        return told["result"], octets
