"""
An SMTP server that says what a test wants: any reply at any stage, silence, a dropped connection, broken TLS.

It knows no queue and no policy; what it took is in `messages`. Real sockets on loopback.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.protocol import Factory, Protocol

DROP = b"<drop>"
SILENCE = b"<silence>"

_DEFAULTS = {"EHLO": b"", "MAIL": b"250 ok", "RCPT": b"250 ok", "DATA": b"354 go", "END": b"250 2.0.0 taken"}


@dataclass(slots=True)
class Taken:
    """A message that was given: paths as written in the commands, content with the dots or chunks as they came."""

    sender: str
    recipients: list[str]
    content: bytes
    tls: bool = False
    chunks: int = 0


@dataclass(slots=True)
class ScriptedServer:
    """
    Listens on a loopback address once `start` was called; `port` is then the port.

    `answers` maps the beginning of a command (`MAIL`, `RCPT TO:<a@b>`, `END` for the end of the content, `CONTENT`
    for its first octets) to a reply without CRLF, DROP or SILENCE; the longest beginning counts. A list of
    replies is used up one by one, the last one stays. `BDAT` is answered when its chunk is there, the last one by
    `END`. `tls` is a context factory for STARTTLS, or DROP for a server that accepts STARTTLS and cannot do it.
    """

    # Any: reactors are told apart by interface; a context factory is whatever startTLS takes.
    reactor: Any
    answers: Mapping[str, bytes | list[bytes]] = field(default_factory=dict)
    greeting: bytes = b"220 fake ready"
    extensions: Iterable[str] = ("PIPELINING", "SIZE", "8BITMIME")
    tls: Any = None
    interface: str = "127.0.0.1"
    port: int = 0
    messages: list[Taken] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    connections: int = 0
    open_now: set[_Session] = field(default_factory=set)
    most_open: int = 0
    _listening: Any = None

    def start(self) -> None:
        """Listen, on `port` if it is not 0."""
        factory = Factory.forProtocol(lambda: _Session(self))
        factory.noisy = False
        self._listening = self.reactor.listenTCP(self.port, factory, interface=self.interface)
        self.port = self._listening.getHost().port

    def stop(self) -> Deferred[Any]:
        """Listen no more and drop all connections. Fires when the port is closed."""
        for session in list(self.open_now):
            session.transport.abortConnection()
        return maybeDeferred(self._listening.stopListening)

    def answer(self, command: str) -> bytes:
        """What the script says to a command."""
        found = [key for key in self.answers if command.upper().startswith(key.upper())]
        if not found:
            return _DEFAULTS.get(command[:4].upper().strip(), b"250 ok")
        said = self.answers[max(found, key=len)]
        if isinstance(said, list):
            return said.pop(0) if len(said) > 1 else said[0]
        return said


class _Session(Protocol):
    # Any: a TCP transport.
    transport: Any = None

    def __init__(self, server: ScriptedServer) -> None:
        self._server = server
        self._buffer = b""
        self._in_content = False
        self._chunk: tuple[int, bool] | None = None
        self._tls = False
        self._taken = Taken("", [], b"")

    def connectionMade(self) -> None:
        """Greet."""
        self._server.connections += 1
        self._server.open_now.add(self)
        self._server.most_open = max(self._server.most_open, len(self._server.open_now))
        self._say(self._server.greeting)

    def connectionLost(self, reason: object = None) -> None:
        """Gone."""
        self._server.open_now.discard(self)

    def dataReceived(self, data: bytes) -> None:
        """Lines, or content."""
        self._buffer += data
        while self._piece():
            pass

    def _piece(self) -> bool:
        if self._chunk is not None:
            return self._take_chunk(*self._chunk)
        return self._content() if self._in_content else self._line()

    def _line(self) -> bool:
        line, found, rest = self._buffer.partition(b"\r\n")
        if not found:
            return False
        self._buffer = rest
        command = line.decode("latin-1")
        self._server.commands.append(command)
        verb = command[:4].upper()
        if verb == "BDAT":
            words = command.split()
            self._chunk = int(words[1]), len(words) > 2
            return True
        reply = self._server.answer(command)
        if verb == "EHLO" and not reply:
            offered = [*self._server.extensions]
            if self._server.tls is not None and not self._tls:
                offered.append("STARTTLS")
            reply = b"\r\n".join([b"250-fake", *(f"250-{word}".encode() for word in offered), b"250 HELP"])
        if verb == "MAIL":
            self._taken = Taken(command[10:].split(" ")[0], [], b"", self._tls)
        elif verb == "RCPT" and reply.startswith(b"2"):
            self._taken.recipients.append(command[8:].split(" ")[0])
        elif verb == "DATA" and reply.startswith(b"3"):
            self._in_content = True
        self._say(reply)
        if verb == "STAR" and reply.startswith(b"2"):
            self._start_tls()
        elif verb == "QUIT":
            self.transport.loseConnection()
        return True

    def _content(self) -> bool:
        if self._buffer and "CONTENT" in self._server.answers:
            self._in_content = False
            self._say(self._server.answer("CONTENT"))
            return False
        data = b"\r\n" + self._buffer
        end = data.find(b"\r\n.\r\n")
        if end < 0:
            return False
        self._taken.content, self._buffer, self._in_content = data[2 : end + 2], data[end + 5 :], False
        reply = self._server.answer("END")
        if reply.startswith(b"2") or reply == DROP:
            self._server.messages.append(self._taken)
        self._say(reply)
        return True

    def _take_chunk(self, size: int, is_last: bool) -> bool:
        if len(self._buffer) < size:
            return False
        self._taken.content += self._buffer[:size]
        self._taken.chunks += 1
        self._buffer, self._chunk = self._buffer[size:], None
        reply = self._server.answer("END" if is_last else "BDAT")
        if is_last and reply.startswith(b"2"):
            self._server.messages.append(self._taken)
        self._say(reply)
        return True

    def _start_tls(self) -> None:
        if self._server.tls == DROP:
            self.transport.write(b"this is no TLS at all\r\n")
            self.transport.loseConnection()
        else:
            self._tls = True
            self.transport.startTLS(self._server.tls)

    def _say(self, reply: bytes) -> None:
        if reply == DROP:
            self._buffer = b""
            self.transport.abortConnection()
        elif reply != SILENCE:
            self.transport.write(reply + b"\r\n")
