"""An SMTP server that takes all that comes and remembers from whom: where nodes send to, in tests that count."""

from __future__ import annotations

import re
import socketserver
import threading
import time
from collections import defaultdict
from dataclasses import dataclass

from .processes import eventually

_TOKEN = re.compile(rb"^Subject: (\S+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Taken:
    """One message that was given: by which node (as its EHLO says), and when its 250 was on the way."""

    node: str
    at: float


class _Session(socketserver.StreamRequestHandler):
    """One connection. A peer that goes away in the middle of a message has not given it."""

    server: Sink
    disable_nagle_algorithm = True  # Several small answers to what was pipelined.

    def handle(self) -> None:
        try:
            self._say(b"220 sink.test ready")
            self._converse()
        except ConnectionError:
            return

    def _converse(self) -> None:
        node = ""
        while line := self.rfile.readline():
            verb = line[:4].upper().strip()
            if verb == b"EHLO":
                node = line[5:].decode().strip()
                self._say(b"250-sink.test\r\n250 PIPELINING")
            elif verb == b"DATA":
                self.server.opened.wait()
                self._say(b"354 go on")
                content = self._content()
                if content is None:
                    return
                self.server.take(_TOKEN.search(content)[1].decode(), node)
                self._say(b"250 taken")
            elif verb == b"QUIT":
                self._say(b"221 bye")
                return
            else:
                self._say(b"250 ok")

    def _content(self) -> bytes | None:
        """All up to the final dot; None where the peer went away before it."""
        lines = []
        while (line := self.rfile.readline()) != b".\r\n":
            if not line.endswith(b"\n"):
                return None
            lines.append(line)
        return b"".join(lines)

    def _say(self, reply: bytes) -> None:
        self.wfile.write(reply + b"\r\n")


class Sink(socketserver.ThreadingTCPServer):
    """
    Listens on a port of 127.0.0.1 from the beginning. `taken` has every taking of each token, a message's subject.

    Until `opened` is set, DATA gets no answer: what is sent stays under way. A context manager.
    """

    daemon_threads = True
    request_queue_size = 128

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Session)
        self.port = self.server_address[1]
        self.opened = threading.Event()
        self.taken: dict[str, list[Taken]] = defaultdict(list)
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05})
        self._thread.start()

    def take(self, token: str, node: str) -> None:
        with self._lock:
            self.taken[token].append(Taken(node, time.monotonic()))

    def wait_for(self, number: int, seconds: float) -> None:
        """Wait until so many different messages have come."""
        eventually(lambda: len(self.taken) >= number, seconds)

    def by_node(self) -> dict[str, int]:
        """How many messages each node has given."""
        counted: dict[str, int] = defaultdict(int)
        for takings in list(self.taken.values()):
            for taken in takings:
                counted[taken.node] += 1
        return dict(counted)

    def twice(self) -> dict[str, list[Taken]]:
        """What came more than once."""
        return {token: takings for token, takings in self.taken.items() if len(takings) > 1}

    def __exit__(self, *_: object) -> None:
        self.opened.set()
        self.shutdown()
        self._thread.join()
        self.server_close()
