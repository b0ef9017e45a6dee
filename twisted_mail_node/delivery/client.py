"""
One connection to another node: the SMTP client engine on a transport, with a time limit for each step.

It decides how long to wait and how content flows; what is sent and what the answers mean is the engine's
(`wire.smtp.client`), whom to connect to is `connect`'s. Source: RFC 5321 §4.5.3.2 (time limits).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from OpenSSL import SSL
from twisted.internet.defer import Deferred, succeed
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.interfaces import IDelayedCall, IHandshakeListener, IPushProducer, IReactorTime
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from ..interfaces.store import IOpenBody
from ..mail.status import EnhancedStatus
from ..wire.smtp.client import SMTPClient
from ..wire.smtp.client_events import Event, Message, SendContent, SessionEnded, Step, TransactionEnded
from ..wire.wait import Wait

# Content is read and written in pieces of this size; a message up to it is written at once.
PIECE_OCTETS = 64 * 1024
_TIMED_OUT = EnhancedStatus(4, 4, 2)


@dataclass(frozen=True, slots=True)
class TimeLimits:
    """Seconds to wait at each step. Source: RFC 5321 §4.5.3.2, whose minimum values these are."""

    connect: float = 30.0
    """Not in the RFC: a host that answers at all does so sooner."""
    greeting: float = 300.0
    command: float = 300.0
    data: float = 120.0
    content: float = 180.0
    """Without any progress in writing."""
    end: float = 600.0
    quit: float = 5.0
    """Nothing is lost by leaving without the answer to QUIT."""

    def at(self, step: Step) -> float:
        """The limit for what is waited for at this step."""
        match step:
            case Step.GREETING:
                return self.greeting
            case Step.DATA:
                return self.data
            case Step.CONTENT:
                return self.content
            case Step.CHUNK | Step.END:
                return self.end
            case Step.QUIT | Step.OVER:
                return self.quit
            case _:
                return self.command


@implementer(IHandshakeListener, IPushProducer)
class SMTPConnection(Protocol):
    """
    A session with one server. One caller at a time awaits `event`.

    `engine` tells step, extensions and transcript. `gone` is true once the connection is lost; `on_gone` is
    called then. `messages` counts transactions begun.
    """

    # Any: a TCP transport with startTLS and abortConnection.
    transport: Any = None

    def __init__(
        self, hostname: str, clock: IReactorTime, limits: TimeLimits, ignored_extensions: Collection[str] = ()
    ) -> None:
        self.engine = SMTPClient(hostname, ignored_extensions)
        self.is_protected = False
        self.gone = False
        self.messages = 0
        self.on_gone: Callable[[], None] | None = None
        self._clock = clock
        self._limits = limits
        self._events: deque[Event] = deque()
        self._waiter: Deferred[Event] | None = None
        self._drained: Deferred[None] | None = None
        self._handshake: Deferred[str] | None = None
        self._timer: IDelayedCall | None = None
        self._timed: tuple[Step, int] = (Step.GREETING, 0)
        self._closing: Deferred[None] | None = None

    # -- for the caller

    def event(self) -> Deferred[Event]:
        """
        The engine's next event; always comes, since every step has an end. Cancelling aborts the connection.
        """
        self._take_events()
        if self._events:
            return succeed(self._events.popleft())
        assert self._waiter is None
        waiting: Deferred[Event] = Deferred(lambda _: self._cancelled())
        self._waiter = waiting
        self._watch()
        return waiting

    async def send(self, message: Message, open_body: Callable[[], Deferred[IOpenBody]]) -> TransactionEnded:
        """
        Send one message; the body is opened when the server wants it.

        Raises: what `open_body` and reading fail with; the connection is aborted then.
        """
        self.messages += 1
        self.engine.send_message(message)
        event = await self.event()
        if isinstance(event, SendContent):
            try:
                event = await self._stream(await open_body())
            except BaseException:
                self.abort()
                raise
        assert isinstance(event, TransactionEnded), event
        return event

    def start_tls(self, creator: object) -> Deferred[str]:
        """
        Begin the handshake, after TLSAccepted. Fires with "" when it is done, else with what went wrong; the
        connection is lost then.
        """
        handshake: Deferred[str] = Deferred()
        self._handshake = handshake
        self.transport.startTLS(creator)
        self._watch()
        return handshake

    @property
    def tls(self) -> SSL.Connection:
        """The TLS connection, after the handshake."""
        connection: SSL.Connection = self.transport.getHandle()
        return connection

    def close(self) -> Deferred[None]:
        """Say QUIT where that is possible, and close. Fires when the connection is gone."""
        closed: Deferred[None] = Deferred()
        if self.gone:
            closed.callback(None)
            return closed
        if self._closing is None:
            self._closing = Deferred()
            if self.engine.step is Step.IDLE:
                self.engine.quit()
                self._flush()
                self._watch()
            elif self.engine.step is Step.OVER:
                self._flush()
                self.transport.loseConnection()
                self._watch()
            else:
                self.transport.abortConnection()
        self._closing.addCallback(lambda _: closed.callback(None))
        return closed

    def abort(self) -> None:
        """Drop the connection at once."""
        if self.transport is not None:
            self.transport.abortConnection()

    # -- content

    async def _stream(self, body: IOpenBody) -> Event:
        """Write the content as it is stored, no faster than the server takes it. Gives the event after its end."""
        try:
            size: int = body.size
            piece = await body.read(0, PIECE_OCTETS)
            if len(piece) < size:
                return await self._stream_slowly(body, size, piece)
            if self.engine.step is Step.CONTENT:
                self.transport.write(self.engine.content(piece, last=True))
        finally:
            body.close()
        return await self.event()

    async def _stream_slowly(self, body: IOpenBody, size: int, piece: bytes) -> Event:
        self.transport.registerProducer(self, True)
        try:
            offset = 0
            # A server may refuse, or leave, before the end: then the engine is no more at CONTENT.
            while self._is_at(Step.CONTENT):
                if not piece:
                    raise EOFError(f"body ends at {offset} of {size} octets")
                offset += len(piece)
                self.transport.write(self.engine.content(piece, last=offset >= size))
                has_to_be_answered = self._is_at(Step.CHUNK)
                if offset < size:
                    await self._room()
                    piece = await body.read(offset, PIECE_OCTETS)
                    if has_to_be_answered and not isinstance(event := await self.event(), SendContent):
                        return event
        finally:
            if not self.gone:
                self.transport.unregisterProducer()
        return await self.event()

    def _is_at(self, step: Step) -> bool:
        """Where the engine is by now: it goes on whenever something is received."""
        return self.engine.step is step

    async def _room(self) -> None:
        """Wait until the transport takes more."""
        if self._drained is not None:
            self._watch()
            await self._drained

    def pauseProducing(self) -> None:
        """The transport is full."""
        if self._drained is None:
            self._drained = Deferred()

    def resumeProducing(self) -> None:
        """The transport wants more."""
        drained, self._drained = self._drained, None
        if drained is not None:
            drained.callback(None)

    def stopProducing(self) -> None:
        """The connection goes; connectionLost tells."""

    # -- called by Twisted

    def dataReceived(self, data: bytes) -> None:
        """Feed the engine, hand on an event."""
        self.engine.receive_data(data)
        self._collect()

    def handshakeCompleted(self) -> None:
        """TLS is established."""
        handshake, self._handshake = self._handshake, None
        if handshake is not None:
            self.is_protected = True
            handshake.callback("")

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """The end, told once; what was waited for ends with it."""
        self.gone = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        why = f"connection lost (waiting for {self.engine.step.name.lower()})"
        words = "" if reason.check(ConnectionDone) else _words(reason)
        why += f": {words}" if words else ""
        self.engine.connection_lost(why)
        self._collect()
        self.resumeProducing()
        handshake, self._handshake = self._handshake, None
        if handshake is not None:
            handshake.callback(_words(reason) or "connection lost")
        if self._closing is not None:
            self._closing.callback(None)
        if self.on_gone is not None:
            self.on_gone()

    # -- inside

    def _take_events(self) -> None:
        """What the engine has to tell by now: an answer of the server's, or one that it gives itself."""
        while not isinstance(event := self.engine.next_event(), Wait):
            self._events.append(event)
        self._flush()

    def _collect(self) -> None:
        self._take_events()
        if self._waiter is not None:
            if not self._events:
                if self._timed != self._progress():
                    self._watch()
                return
            waiter, self._waiter = self._waiter, None
            waiter.callback(self._events.popleft())
        elif self._events and isinstance(self._events[-1], SessionEnded) and not self.gone:
            # Nobody waits: the server answered QUIT, or left an idle session.
            if self._closing is not None:
                self.transport.loseConnection()
            else:
                self.transport.abortConnection()

    def _flush(self) -> None:
        output = self.engine.take_output()
        if output and not self.gone:
            self.transport.write(output)

    def _progress(self) -> tuple[Step, int]:
        return self.engine.step, self.engine.replies

    def _watch(self) -> None:
        """Give the present step its time, from now. The timer stays when the answer comes; it finds nobody waiting."""
        self._timed = self._progress()
        seconds = self._limits.at(self.engine.step)
        if self._timer is not None:
            self._timer.reset(seconds)
        elif not self.gone:
            self._timer = self._clock.callLater(seconds, self._timed_out)

    def _timed_out(self) -> None:
        self._timer = None
        if self._waiter is None and self._handshake is None and self._drained is None and self._closing is None:
            return
        step = self._timed[0]
        why = f"no answer within {self._limits.at(step):g} seconds (waiting for {step.name.lower()})"
        self.engine.connection_lost(why, _TIMED_OUT)
        self._collect()
        self.transport.abortConnection()

    def _cancelled(self) -> None:
        self._waiter = None
        self.transport.abortConnection()


def _words(reason: Failure) -> str:
    """What happened, in words fit for a report; "" where no more is known than that the connection is lost."""
    error = reason.value
    if isinstance(error, SSL.Error):
        details = error.args[0] if error.args else ()
        try:
            return "TLS: " + "; ".join(entry[2] for entry in details if entry[2])
        except (TypeError, IndexError):
            return "TLS failed"
    if isinstance(error, ConnectionLost):
        return " ".join(map(str, error.args))
    return str(error) or type(error).__name__
