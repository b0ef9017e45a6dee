"""
Asks name servers one question: over UDP, over TCP where the answer was cut, the next server where one fails.

It decides which server's word counts; what an answer means is for `resolver`. Messages are those of
`twisted.names.dns`; sockets are our own, one a question on a port of its own and connected, so that only the
server asked can answer it. Sources: RFC 1035 §4.2, RFC 5452 (ports and ids against forgery), RFC 7766 (TCP).
"""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from twisted.internet.defer import CancelledError, Deferred, DeferredSemaphore, gatherResults, succeed
from twisted.internet.endpoints import TCP4ClientEndpoint, TCP6ClientEndpoint
from twisted.internet.error import ConnectError
from twisted.internet.interfaces import IReactorFDSet, IReactorTCP, IReactorTime, IReadDescriptor
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.names import dns
from twisted.python.failure import Failure
from zope.interface import Interface, implementer

from ..interfaces.deferred import returns_deferred
from ..mail.errors import TemporaryFailure
from ..mail.status import EnhancedStatus

NO_ANSWER = EnhancedStatus(4, 4, 3)
# How long each round waits for each server; a server that answered with a failure is not asked again.
ROUNDS_SECONDS = (2.0, 4.0)
TCP_SECONDS = 8.0
# Questions under way at once; further ones wait their turn, so that sockets are bounded.
MAX_QUESTIONS = 256
# RFC 1035 §4.2.2: the length in front of a message on TCP has two octets.
MAX_TCP_OCTETS = 65_535
# More than a server sends to who did not offer more (RFC 1035 §4.2.1: 512).
MAX_UDP_OCTETS = 4096

Server = tuple[str, int]


class IDNSReactor(IReactorFDSet, IReactorTCP, IReactorTime, Interface):
    """What asking needs of a reactor."""


class _NoWord(Exception):
    """This server gave no usable answer. `is_final`: asking it again would not help."""

    def __init__(self, why: str, is_final: bool) -> None:
        super().__init__(why)
        self.is_final = is_final


class Servers:
    """
    The name servers, asked in the order in which `servers()` gives them.

    `random_id` gives message ids, 0 to 65535, that nobody can guess.
    """

    def __init__(
        self,
        reactor: IDNSReactor,
        servers: Callable[[], Sequence[Server]],
        random_id: Callable[[], int],
        *,
        rounds_seconds: Sequence[float] = ROUNDS_SECONDS,
        tcp_seconds: float = TCP_SECONDS,
    ) -> None:
        self._reactor = reactor
        self._servers = servers
        self._random_id = random_id
        self._rounds_seconds = rounds_seconds
        self._tcp_seconds = tcp_seconds
        self._turn = DeferredSemaphore(MAX_QUESTIONS)
        self._open: set[_Datagrams | _Stream] = set()

    @returns_deferred
    async def ask(self, name: str, record_type: int) -> dns.Message:
        """
        Ask for records of a name. Fires with a message whose rCode is OK or ENAME (no such name).

        Fails with: TemporaryFailure 4.4.3: no server gave a usable answer. Cancelling closes the socket.
        """
        await self._turn.acquire()
        try:
            return await self._ask_all(dns.Query(name.encode("ascii"), record_type, dns.IN))
        finally:
            self._turn.release()

    @returns_deferred
    async def stop(self) -> None:
        """Close all sockets. Fires when none is left."""
        await gatherResults([opened.close() for opened in list(self._open)])

    async def _ask_all(self, query: dns.Query) -> dns.Message:
        failing: dict[Server, str] = {}
        answered: set[Server] = set()
        for seconds in self._rounds_seconds:
            for server in self._servers():
                if server in answered:
                    continue
                try:
                    return await self._ask_one(server, query, seconds)
                except _NoWord as no_word:
                    failing[server] = str(no_word)
                    if no_word.is_final:
                        answered.add(server)
        why = "; ".join(f"{host}: {reason}" for (host, _), reason in failing.items()) or "no server is known"
        raise TemporaryFailure(f"no answer from DNS for {query.name.name.decode()} ({why})", NO_ANSWER)

    async def _ask_one(self, server: Server, query: dns.Query, seconds: float) -> dns.Message:
        message = dns.Message(id=self._random_id(), recDes=1)
        message.queries = [query]
        answer = await self._exchange(_Datagrams(self._open, server, message), seconds)
        if answer.trunc:
            answer = await self._exchange(_Stream(self._open, server, message), self._tcp_seconds)
        if answer.rCode not in (dns.OK, dns.ENAME):
            raise _NoWord(f"failure {answer.rCode}", is_final=True)
        is_referral = not answer.answers and not answer.auth and any(r.type == dns.NS for r in answer.authority)
        if answer.rCode == dns.OK and is_referral and not any(r.type == dns.SOA for r in answer.authority):
            raise _NoWord("the server does not look further", is_final=True)
        return answer

    async def _exchange(self, exchange: _Datagrams | _Stream, seconds: float) -> dns.Message:
        self._open.add(exchange)
        timer = self._reactor.callLater(seconds, exchange.fail, _NoWord("timed out", is_final=False))
        try:
            exchange.open(self._reactor)
            return await exchange.answer
        finally:
            if timer.active():
                timer.cancel()
            # Not waited for: `stop` does. A refused close has nobody to tell.
            exchange.close().addErrback(lambda failure: None)


def _answer_to(question: dns.Message, data: bytes) -> dns.Message | None:
    """The message in these octets where it answers the question; None for anything else, whatever it is."""
    answer = dns.Message()
    try:
        answer.fromStr(data)
    except Exception:  # the decoder fails in many ways on what is no DNS message
        return None
    if answer.id != question.id or not answer.answer or len(answer.queries) != 1:
        return None
    # The decoder is content with half an answer; we are not, unless it says that it was cut.
    if not answer.trunc and len(answer.answers) + len(answer.authority) != sum(struct.unpack_from("!2H", data, 6)):
        return None
    asked, told = question.queries[0], answer.queries[0]
    same = asked.name.name.lower() == told.name.name.lower() and asked.type == told.type
    return answer if same else None


class _Exchange:
    """What both ways of asking share: one answer, then closed."""

    def __init__(self, opened: set[_Datagrams | _Stream], server: Server, question: dns.Message) -> None:
        self.answer: Deferred[dns.Message] = Deferred()
        self._opened = opened
        self._server = server
        self._question = question

    def fail(self, no_word: _NoWord) -> None:
        """End without an answer."""
        if not self.answer.called:
            self.answer.errback(no_word)

    def _received(self, data: bytes) -> None:
        answer = _answer_to(self._question, data)
        if answer is not None and not self.answer.called:
            self.answer.callback(answer)


@implementer(IReadDescriptor)
class _Datagrams(_Exchange):
    """
    One question over UDP, on a socket that is connected, so that the kernel drops what others send.

    Not a port of Twisted's, which would write two lines into the log for each question.
    """

    def __init__(self, opened: set[_Datagrams | _Stream], server: Server, question: dns.Message) -> None:
        super().__init__(opened, server, question)
        self._reactor: IDNSReactor | None = None
        self._socket: socket.socket | None = None

    def open(self, reactor: IDNSReactor) -> None:
        """Ask. The kernel gives a port that nobody can guess."""
        try:
            self._socket = socket.socket(
                socket.AF_INET6 if ":" in self._server[0] else socket.AF_INET, socket.SOCK_DGRAM
            )
            self._socket.setblocking(False)
            self._socket.connect(self._server)
            self._socket.send(self._question.toStr())
        except OSError as error:
            self.fail(_NoWord(os.strerror(error.errno) if error.errno else str(error), is_final=False))
            return
        self._reactor = reactor
        reactor.addReader(self)

    def fileno(self) -> int:
        """For the reactor."""
        return -1 if self._socket is None else self._socket.fileno()

    def doRead(self) -> None:  # noqa: N802
        """The answer, or something to disregard."""
        assert self._socket is not None
        try:
            self._received(self._socket.recv(MAX_UDP_OCTETS))
        except (BlockingIOError, InterruptedError):
            return
        except ConnectionRefusedError:
            self.fail(_NoWord("refused", is_final=True))
        except OSError as error:
            self.fail(_NoWord(str(error), is_final=False))

    def logPrefix(self) -> str:
        """For the reactor."""
        return "DNS"

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """The reactor ends."""
        self.fail(_NoWord("stopped", is_final=True))

    def close(self) -> Deferred[None]:
        """Close the socket. Fires at once."""
        if self._reactor is not None:
            self._reactor.removeReader(self)
            self._reactor = None
        if self._socket is not None:
            self._socket.close()
            self._socket = None
        self._opened.discard(self)
        return succeed(None)


class _Stream(_Exchange, Protocol):
    """One question over TCP."""

    # Any: a TCP transport, whose interface lacks abortConnection for the type checker.
    transport: Any = None

    def __init__(self, opened: set[_Datagrams | _Stream], server: Server, question: dns.Message) -> None:
        super().__init__(opened, server, question)
        self._closing: Deferred[None] | None = None
        self._buffer = b""
        self._connecting: Deferred[Any] | None = None
        self._lost: Deferred[None] = Deferred()

    def open(self, reactor: IDNSReactor) -> None:
        """Connect and ask."""
        host, port = self._server
        endpoint = (TCP6ClientEndpoint if ":" in host else TCP4ClientEndpoint)(reactor, host, port)
        self._connecting = connecting = endpoint.connect(Factory.forProtocol(lambda: self))
        connecting.addErrback(self._not_connected)

    def _not_connected(self, failure: Failure) -> None:
        failure.trap(ConnectError, OSError, CancelledError)
        self._finished()
        self.fail(_NoWord("no connection over TCP", is_final=True))

    def connectionMade(self) -> None:
        """Ask."""
        wire = self._question.toStr()
        self.transport.write(struct.pack("!H", len(wire)) + wire)

    def dataReceived(self, data: bytes) -> None:
        """Collect one message, bounded by the two octets of its length."""
        self._buffer += data
        if len(self._buffer) >= 2:
            length = struct.unpack_from("!H", self._buffer)[0]
            if len(self._buffer) >= length + 2:
                self._received(self._buffer[2 : length + 2])
                self.fail(_NoWord("an answer to something else", is_final=True))

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Told once."""
        self._finished()
        self.fail(_NoWord("connection lost", is_final=True))

    def _finished(self) -> None:
        if not self._lost.called:
            self._lost.callback(None)

    def close(self) -> Deferred[None]:
        """Drop the connection. Fires when it is gone."""
        if self._closing is None:
            self._closing = self._lost
            self._closing.addBoth(lambda result: self._opened.discard(self))
            if self.transport is not None:
                self.transport.abortConnection()
            elif self._connecting is not None:
                self._connecting.cancel()
            else:
                self._finished()
        return _follow(self._closing)


def _follow(source: Deferred[None]) -> Deferred[None]:
    """A Deferred of the caller's own that fires with `source`."""
    own: Deferred[None] = Deferred()

    def pass_on(result: None) -> None:
        own.callback(None)

    source.addCallback(pass_on)
    return own


def system_servers(path: Path = Path("/etc/resolv.conf")) -> list[Server]:
    """The servers of a resolv.conf(5), or the one on this machine where it names none. Blocks for a small file."""
    try:
        lines = path.read_text("ascii", "replace").splitlines()
    except OSError:
        lines = []
    found = [words[1] for words in map(str.split, lines) if len(words) >= 2 and words[0] == "nameserver"]
    return [(host, dns.PORT) for host in found] or [("127.0.0.1", dns.PORT)]
