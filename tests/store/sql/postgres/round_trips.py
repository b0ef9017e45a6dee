"""A server's door that counts how often a client waits for an answer."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager
from select import select


class CountingDoor:
    """Passes one connection after the other on to a server on 127.0.0.1, all at once; counts for each of them."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self.trips: list[list[int]] = []

    def serve(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            trips = [0]
            self.trips.append(trips)
            threading.Thread(target=self._pass_on, args=(client, trips), daemon=True).start()

    def _pass_on(self, client: socket.socket, trips: list[int]) -> None:
        asked = False
        with client, socket.create_connection(("127.0.0.1", self._target)) as server:
            while True:
                readable, _, _ = select([client, server], [], [])
                for source, sink in ((client, server), (server, client)):
                    if source in readable:
                        data = source.recv(65_536)
                        if not data:
                            return
                        if source is client and not asked:
                            trips[0] += 1
                        asked = source is client
                        sink.sendall(data)

    def close(self) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()


@contextmanager
def counting_door(port):
    door = CountingDoor(port)
    thread = threading.Thread(target=door.serve)
    thread.start()
    yield door
    door.close()
    thread.join()
