"""Many clients at once in one thread: some that dawdle, some that wait for each answer and are timed."""

from __future__ import annotations

import selectors
import socket
import threading
import time
from collections.abc import Callable, Sequence

Address = tuple[str, int]


def connected(address: Address, greeting: bytes, source: str = "127.0.0.1") -> socket.socket:
    """A client that has been greeted."""
    client = socket.create_connection(address, timeout=20, source_address=(source, 0))
    said = client.recv(4096)
    if not said.startswith(greeting):
        client.close()
        raise AssertionError(said)
    return client


def ask(client: socket.socket, command: bytes) -> bytes:
    """Send a command; gives the reply, or its last line where it has several."""
    client.sendall(command)
    said = b""
    while not said.endswith(b"\r\n") or said.rpartition(b"\r\n")[0].rpartition(b"\r\n")[2][3:4] == b"-":
        octets = client.recv(4096)
        assert octets, "the node closed the connection"
        said += octets
    return said


class Dawdlers:
    """
    Clients in the middle of a message, each of which sends a piece now and then, from a thread of their own.

    A context manager, in which they go on. `pieces` counts what was sent.
    """

    def __init__(self, clients: Sequence[socket.socket], piece: bytes, seconds_between: float) -> None:
        self._clients = clients
        self._piece = piece
        self._pause = seconds_between / len(clients)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.pieces = 0

    def _run(self) -> None:
        while True:
            for client in self._clients:
                if self._over.wait(self._pause):
                    return
                client.sendall(self._piece)
                self.pieces += 1

    def __enter__(self) -> Dawdlers:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(20)


class Brisk:
    """
    A client that sends one step after the other as soon as it has the answer, after a moment's thought.

    `waited` has how long each answer took, in seconds.
    """

    def __init__(self, client: socket.socket, steps: Sequence[bytes], thought_seconds: float) -> None:
        self.socket = client
        self.waited: list[float] = []
        self.answers: list[bytes] = []
        self._steps = list(reversed(steps))
        self._thought = thought_seconds
        self._next = time.monotonic() + thought_seconds
        self._sent: float | None = None
        self._said = b""

    @property
    def is_done(self) -> bool:
        return not self._steps and self._sent is None

    def think(self, now: float) -> None:
        """Send the next step if it is time."""
        if self._sent is None and self._steps and now >= self._next:
            self._sent = now
            self.socket.sendall(self._steps.pop())

    def hear(self) -> None:
        """Something has come."""
        octets = self.socket.recv(4096)
        assert octets, "the node closed the connection"
        self._said += octets
        if not self._said.endswith(b"\r\n"):
            return
        now = time.monotonic()
        self.waited.append(now - self._sent)
        self.answers.append(self._said)
        self._said, self._sent, self._next = b"", None, now + self._thought


def run(clients: Sequence[Brisk], seconds: float = 60.0) -> None:
    """Let them all come to their ends."""
    end = time.monotonic() + seconds
    with selectors.DefaultSelector() as selector:
        for client in clients:
            selector.register(client.socket, selectors.EVENT_READ, client.hear)
        while not all(client.is_done for client in clients):
            for key, _ in selector.select(0.002):
                heard: Callable[[], None] = key.data
                heard()
            now = time.monotonic()
            assert now < end, "they were not done in time"
            for client in clients:
                client.think(now)
