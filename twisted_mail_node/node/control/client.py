"""The other end of the control socket: asks a running node, waiting for its answers."""

from __future__ import annotations

import json
import socket
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
        self._answers = self._socket.makefile("rb")

    def perform(self, name: str, arguments: dict[str, Any]) -> JSON:
        """See Operations.perform. Raises: Refusal; NodeUnreachable: the node went away."""
        request = json.dumps({"operation": name, "arguments": arguments}).encode() + b"\n"
        try:
            self._socket.sendall(request)
            line = self._answers.readline()
        except OSError as error:
            raise NodeUnreachable("the node does not answer") from error
        if not line.endswith(b"\n"):
            raise NodeUnreachable("the node went away before it answered")
        answer = json.loads(line)
        if "refused" in answer:
            raise Refusal(answer["refused"])
        return answer["result"]

    def close(self) -> None:
        """Hang up."""
        self._answers.close()
        self._socket.close()
