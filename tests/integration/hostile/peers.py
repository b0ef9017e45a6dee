"""A client of octets, for what no library sends."""

from __future__ import annotations

import socket
import threading


class Peer:
    """A plain socket that speaks in octets."""

    def __init__(self, address: tuple[str, int], greeting: bytes) -> None:
        self.socket = socket.create_connection(address, timeout=20)
        self._received = b""
        if greeting:
            line = self.line()
            assert line.startswith(greeting), line

    def __enter__(self) -> Peer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.socket.close()

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def line(self) -> bytes:
        """The next line without its end; b"" when the connection is over."""
        while b"\r\n" not in self._received and (octets := self._octets()):
            self._received += octets
        line, _, self._received = self._received.partition(b"\r\n")
        return line

    def ask(self, command: bytes) -> bytes:
        self.send(command + b"\r\n")
        return self.line()

    def reply(self) -> bytes:
        """The last line of an SMTP reply."""
        while (line := self.line())[3:4] == b"-":
            pass
        return line

    def tagged(self) -> bytes:
        """The next line of IMAP that is not untagged."""
        while (line := self.line()).startswith(b"* "):
            pass
        return line

    def rest(self) -> bytes:
        """All that comes until the node closes."""
        pieces = [self._received]
        while octets := self._octets():
            pieces.append(octets)
        return b"".join(pieces)

    def _octets(self) -> bytes:
        try:
            return self.socket.recv(64 * 1024)
        except ConnectionResetError:
            # Who is left while still talking is reset behind the last words.
            return b""

    def pour(self, data: bytes) -> None:
        """Send in a thread, to whoever hears; the socket's end ends it."""

        def send() -> None:
            try:
                self.socket.sendall(data)
            except OSError:
                pass

        threading.Thread(target=send, daemon=True).start()

    def stuff(self, data: bytes, limit: int) -> int:
        """Send over and over without reading, as long as the node takes it; gives how much it took."""
        sent = 0
        self.socket.settimeout(0.5)
        try:
            while sent < limit:
                sent += self.socket.send(data)
        except (TimeoutError, OSError):
            return sent
        return sent
