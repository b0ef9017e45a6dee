"""
A proxy in front of PostgreSQL that cuts a connection around the COMMIT of a chosen transaction.

A transaction is chosen by octets that its statements carry, such as a message's subject. Everything else passes.
"""

from __future__ import annotations

import socket
import threading
from enum import Enum

_COMMIT = b"COMMIT\0"  # As a statement ends in a Parse message, and as the tag of CommandComplete is.
_COMMITTED = b"C\0\0\0\x0bCOMMIT\0"
_OCTETS = 65536


class Cut(Enum):
    """Where the connection is cut."""

    BEFORE_COMMIT = "before the server is asked to commit"
    AFTER_COMMIT = "when it was asked, whatever it has done by then"
    BEFORE_ANSWER = "when it has committed, before it can tell"


class CuttingProxy:
    """Listens on `port` of 127.0.0.1 and passes connections on to the server at `server_port`. A context manager."""

    def __init__(self, server_port: int) -> None:
        self._server_port = server_port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._chosen: tuple[bytes, Cut] | None = None
        self._open: set[socket.socket] = set()
        self.cuts = 0
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def cut(self, octets: bytes, where: Cut) -> None:
        """Cut the connection of the next transaction that carries these octets."""
        self._chosen = (octets, where)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:  # closed
                return
            try:
                server = socket.create_connection(("127.0.0.1", self._server_port))
            except OSError:
                client.close()
                continue
            for end in (client, server):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            _Passage(self, client, server).start()

    def chosen_in(self, octets: bytes) -> Cut | None:
        """Where to cut the connection on which these octets come; nobody else is told."""
        chosen = self._chosen
        if chosen is None or chosen[0] not in octets:
            return None
        self._chosen = None
        return chosen[1]

    def opened(self, *ends: socket.socket) -> None:
        self._open.update(ends)

    def __enter__(self) -> CuttingProxy:
        return self

    def __exit__(self, *_: object) -> None:
        # Shut down before it is closed, or accept() would go on.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()
        for end in list(self._open):
            end.close()


class _Passage:
    """One connection and its two directions, each with a thread."""

    def __init__(self, proxy: CuttingProxy, client: socket.socket, server: socket.socket) -> None:
        self._proxy = proxy
        self._client = client
        self._server = server
        self._cut: Cut | None = None
        proxy.opened(client, server)

    def start(self) -> None:
        for passing in (self._forth, self._back):
            threading.Thread(target=self._until_the_end, args=(passing,), daemon=True).start()

    def _until_the_end(self, passing) -> None:
        try:
            passing()
        except OSError:
            pass  # cut by the other direction, or by a peer
        for end in (self._client, self._server):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # is so already

    def _forth(self) -> None:
        seen = b""
        while octets := self._client.recv(_OCTETS):
            # The chosen octets and the COMMIT may come in one piece or in several, themselves cut.
            seen = seen[-len(_COMMIT) * 16 :] + octets
            if self._cut is None:
                self._cut = self._proxy.chosen_in(seen)
            asks = self._cut is not None and _COMMIT in seen
            if asks and self._cut is Cut.BEFORE_COMMIT:
                self._proxy.cuts += 1
                return
            self._server.sendall(octets)
            if asks and self._cut is Cut.AFTER_COMMIT:
                self._proxy.cuts += 1
                return

    def _back(self) -> None:
        seen = b""
        while octets := self._server.recv(_OCTETS):
            seen = seen[-len(_COMMITTED) :] + octets
            if self._cut is Cut.BEFORE_ANSWER and _COMMITTED in seen:
                self._proxy.cuts += 1
                return
            self._client.sendall(octets)
