"""Where the operator's commands go: to the node that runs, or to the store where none does."""

from __future__ import annotations

import time
from typing import Any, Protocol

from ..config import Config
from ..state import StateFolder, StateFolderInUse
from .client import NodeConnection, NodeUnreachable
from .direct import StoreConnection
from .operations import JSON
from .waiting import Waiting

PATIENCE_SECONDS = 10.0
"""A node that holds its folder but takes no commands is about to start or to stop."""


class Access(Protocol):
    """Performs operations somewhere."""

    def perform(self, name: str, arguments: dict[str, Any]) -> JSON:
        """See Operations.perform. Raises: Refusal; NodeUnreachable."""

    def begin(self, name: str, arguments: dict[str, Any], octets: bytes = b"") -> Waiting:
        """Begin an operation, of those of `mail` as well; those begun earlier are done earlier. Raises as `wait`."""

    def close(self) -> None:
        """Done."""


def open_access(config: Config, patience_seconds: float = PATIENCE_SECONDS) -> Access:
    """
    The running node of this state folder, or else the store.

    Raises: CannotStart: there is no node, and no state folder can be made; StateFolderInUse: there is a node but
    it takes no commands; Refusal: see StoreConnection.
    """
    socket = StateFolder(config.state_dir).control_socket
    until = time.monotonic() + patience_seconds
    while True:
        try:
            return NodeConnection(socket)
        except NodeUnreachable:
            pass
        try:
            return StoreConnection(config)
        except StateFolderInUse:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)
