"""
Where a connection's octets go out: at once where nothing waits before them, else through the transport's buffer.

Twisted's transports put everything off to the reactor's next turn, which costs two system calls to watch the socket
and a turn of its own for every reply; most replies fit into the socket's buffer and need neither. Only plain TCP and
unix transports are written to like that: a TLS layer or any other wrapper sees every octet.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.abstract import FileDescriptor


class Outlet:
    """
    Writes to `transport`. Its producer tells `drained` when the transport has asked for more.

    `encode` is applied to everything that is written, in order; None for octets as they are.
    """

    __slots__ = ("_behind", "_transport", "encode")

    def __init__(self, transport: Any) -> None:  # Any: TCP, unix and TLS transports share no interface that has all.
        self._transport = transport
        self.encode: Callable[[bytes], bytes] | None = None
        # Whether octets may wait in the transport's buffer, behind which others have to queue up.
        self._behind = not _is_plain(transport)

    def write(self, octets: bytes) -> None:
        """Write octets in order; nothing happens once the connection is gone."""
        transport = self._transport
        if self.encode is not None:
            octets = self.encode(octets)
        if self._behind or not transport.connected or transport.disconnecting:
            transport.write(octets)
            return
        sent = transport.writeSomeData(octets)
        if isinstance(sent, Exception) or sent < 0:
            # The transport finds the loss by itself, and tells it as it tells any other.
            self._behind = True
            transport.write(octets)
        elif sent < len(octets):
            self._behind = True
            transport.write(octets[sent:])

    def drained(self) -> None:
        """The transport's buffer is empty again."""
        self._behind = not _is_plain(self._transport)


def _is_plain(transport: object) -> bool:
    return isinstance(transport, FileDescriptor) and not getattr(transport, "TLS", False)
