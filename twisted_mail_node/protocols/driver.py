"""
One engine on one transport: events out, answers in, one at a time.

The driver decides when to read, when to write and when to give up; what an event means is the session's affair.
Answers that come at once cost no Deferred. Backpressure both ways: reading stops while input waits unprocessed
beyond a limit, events stop while the peer does not take what was written, and a peer that takes nothing for too
long is cut off.

Neighbours: engines in `wire`, sessions in this room.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, Protocol

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IDelayedCall, IPushProducer, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from ..wire.wait import Wait
from .outlet import Outlet
from .tls_line import is_shaking_hands

# Any: what a coroutine awaits is of no concern here.
Answer = bytes | None | Coroutine[Any, Any, bytes | None]

# Answers that come at once are gathered up to this size, then written, so that the transport can say "enough".
_GATHERED_OCTETS = 64 * 1024

# After so long the other connections have their turn, however many commands one peer has sent at once.
TURN_SECONDS = 0.005

# How long a closing connection may take to send its last words before it is cut off.
LAST_WORDS_SECONDS = 10.0


class Engine(Protocol):
    """What the driver needs of a sans-I/O engine."""

    @property
    def closed(self) -> bool:
        """The dialogue is over: after what was sent, the connection ends."""

    def receive_data(self, data: bytes) -> None:
        """Take what was received."""

    def next_event(self) -> object:
        """The next event, or a Wait."""


class Session(Protocol):
    """What the driver needs of a session."""

    def answer(self, event: Any) -> Answer | Deferred[bytes | None]:  # Any: each session knows its own engine's events.
        """Answer an event: octets to write (or None) at once, or a coroutine or Deferred that gives them."""

    def timed_out(self) -> bytes:
        """The peer was silent for too long: last words before the connection is closed."""

    def broke(self, failure: Failure) -> bytes:
        """`answer` raised what it should not have (it is logged already): the protocol's temporary failure."""

    def disconnected(self) -> None:
        """The connection is gone. Told once."""


@implementer(IPushProducer)
class Driver:
    """
    Runs `engine` for `session`.

    Args:
        engine: the sans-I/O engine.
        session: answers its events.
        clock: for timeouts.
        input_limit_octets: reading stops while more than this waits behind an event that is being answered.
        write_stall_seconds: a peer that takes nothing of what was written for so long is cut off.

    The thin Protocol calls `connected`, `data_received` and `connection_lost`.
    """

    _log = Logger()

    def __init__(
        self,
        engine: Engine,
        session: Session,
        clock: IReactorTime,
        *,
        input_limit_octets: int = 64 * 1024,
        write_stall_seconds: float = 300.0,
    ) -> None:
        self._engine = engine
        self._session = session
        self._clock = clock
        self._input_limit_octets = input_limit_octets
        self._write_stall_seconds = write_stall_seconds
        self.transport: Any = None  # Any: TCP, unix and TLS transports share no one interface that has all of it.
        self._running: Deferred[bytes | None] | None = None
        self._looping = False
        self._out: list[bytes] = []
        self._out_octets = 0
        self._waiting_octets = 0
        self._reading_paused = False
        self._write_paused = False
        self._drained: list[Deferred[None]] = []
        self._is_producer = False
        self._gone = False
        self._closing = False
        self._has_begun_tls = False
        self._farewell: bytes | None = None
        self._timeout_seconds: float | None = None
        self._of_silence = True
        self._deadline = 0.0
        self._timer: IDelayedCall | None = None
        self._stall_timer: IDelayedCall | None = None
        self._next_turn: IDelayedCall | None = None
        self._turn_end = 0.0
        self._going_on: IDelayedCall | None = None

    # -- called by the thin Protocol ----------------------------------------------------------------------------

    def connected(self, transport: Any) -> None:  # Any: see `transport`.
        """The connection is there."""
        self.transport = transport
        self._outlet = Outlet(transport)
        self._register()

    def data_received(self, data: bytes) -> None:
        """Octets came."""
        if self._gone or self._closing:
            return
        if self._of_silence:
            self._touch()
        self._engine.receive_data(data)
        if self._running is not None or self._write_paused or self._next_turn is not None:
            self._waiting_octets += len(data)
            self._govern_reading()
        else:
            self._loop()

    def connection_lost(self, reason: Failure) -> None:
        """The connection is gone: an answer that is still being thought of is cancelled."""
        if self._gone:
            return
        self._gone = True
        self._cancel_timers()
        running, self._running = self._running, None
        if running is not None:
            running.cancel()
        waiting, self._drained = self._drained, []
        for drained in waiting:
            drained.errback(Failure(ConnectionDone("the peer has gone")))
        self._session.disconnected()
        # Nothing may refer in a circle to what is gone: when thousands leave, their memory is free at once. A transport
        # that began TLS has let go of its layers by now, and would look for them.
        if not self._has_begun_tls:
            self._unregister()
        del self._session

    # -- called by the session ----------------------------------------------------------------------------------

    @property
    def is_answering(self) -> bool:
        """True while an event's answer is awaited."""
        return self._running is not None

    @property
    def is_gone(self) -> bool:
        """True once the connection is lost or about to be closed."""
        return self._gone or self._closing

    def write(self, data: bytes) -> None:
        """Write octets, after what was answered so far; nothing happens once the connection is gone."""
        if self._out:
            self._flush()
        if data and not self._gone:
            self._outlet.write(data)

    def drained(self) -> Deferred[None]:
        """
        Fires when the transport wants more (at once if it does now, and others need not have their turn first).

        To be awaited between the slices of a long answer. Fails with ConnectionDone when the peer goes.
        """
        drained: Deferred[None] = Deferred(self._forget_drained)
        if self._gone:
            drained.errback(Failure(ConnectionDone("the peer has gone")))
        elif self._write_paused:
            self._drained.append(drained)
        elif self._clock.seconds() >= self._turn_end:
            # A peer that takes all as fast as it comes is no reason to serve nobody else.
            self._drained.append(drained)
            if self._going_on is None:
                self._going_on = self._clock.callLater(0, self._go_on)
        else:
            drained.callback(None)
        return drained

    def resume(self) -> None:
        """Look for events again: the session changed something by which the engine may have one."""
        if self._running is None and not self._write_paused and not self._gone:
            self._loop()

    def set_timeout(self, seconds: float | None, *, of_silence: bool = True) -> None:
        """
        From now on the peer may be silent for this long; None for ever. Any input starts the time anew; without
        `of_silence`, only input that completes an event.

        While an answer is being thought of, the peer is not the one who is silent: the time does not run. It does
        for a peer that takes nothing, such as one that never begins the TLS handshake before the greeting.
        """
        has_timer = seconds is not None and seconds == self._timeout_seconds
        self._timeout_seconds = seconds
        self._of_silence = of_silence
        self._touch()
        if seconds is not None and not has_timer:
            self._arm(seconds)

    def start_tls(self, context: object) -> None:
        """Begin the TLS handshake after what was written so far (the 220 or OK of STARTTLS)."""
        self._unregister()
        self._has_begun_tls = True
        self.transport.startTLS(context)
        self._outlet = Outlet(self.transport)
        self._register()

    def encode(self, encode: Callable[[bytes], bytes] | None) -> None:
        """From now on what is written goes out as `encode` makes it; None: as it is."""
        self._flush()
        self._outlet.encode = encode

    def close(self, last_words: bytes = b"") -> None:
        """Write these last words, then close; a peer that does not take them is cut off after a while."""
        if self._gone or self._closing:
            return
        self.write(last_words)
        self._closing = True
        self._cancel_timers()
        self._unregister()
        if self._reading_paused:
            # The end of TLS is said by both.
            self.transport.resumeProducing()
        self.transport.loseConnection()
        if not self._gone:
            self._stall_timer = self._clock.callLater(LAST_WORDS_SECONDS, self._cut_off)

    def finish(self, last_words: bytes = b"") -> None:
        """Close as `close` does, but let an answer that is being thought of be given first."""
        if self._running is None:
            self.close(last_words)
        elif self._farewell is None:
            self._farewell = last_words

    def abort(self) -> None:
        """Cut the connection off at once."""
        if not self._gone:
            self._closing = True
            self.transport.abortConnection()

    # -- called by the transport (IPushProducer) ------------------------------------------------------------------

    def pauseProducing(self) -> None:
        """
        The peer does not take what is written: no more events for now, and nothing is read.

        What never becomes an event may be answered as well: each change of a key under TLS, at the peer's wish.
        """
        self._write_paused = True
        self._govern_reading()
        if self._stall_timer is None and not self._closing:
            self._stall_timer = self._clock.callLater(self._write_stall_seconds, self._cut_off)

    def resumeProducing(self) -> None:
        """The peer has taken it: go on."""
        self._write_paused = False
        self._outlet.drained()
        self._govern_reading()
        if self._stall_timer is not None and not self._closing:
            self._stall_timer.cancel()
            self._stall_timer = None
        self._touch()
        if self._going_on is None:
            self._tell_drained()
        if self._running is None and not self._gone:
            self._loop()

    def stopProducing(self) -> None:
        """The transport is at its end; `connection_lost` follows."""

    # -- the loop -------------------------------------------------------------------------------------------------

    def _loop(self) -> None:
        """Answer events until one has to wait, input or time runs out, or the peer does not take the answers."""
        if self._looping:
            return
        if self._next_turn is not None:
            self._next_turn.cancel()
            self._next_turn = None
        self._looping, heard = True, False
        seconds, next_event = self._clock.seconds, self._engine.next_event
        now = seconds()
        self._turn_end = turn_end = now + TURN_SECONDS
        try:
            while not (self._write_paused or self._gone or self._closing):
                event = next_event()
                if isinstance(event, Wait):
                    break
                heard = True
                answer = self._answered(event)
                # Octets first, which nearly every answer is: to ask about a Deferred takes longer.
                if isinstance(answer, bytes):
                    self._out.append(answer)
                    self._out_octets += len(answer)
                    if self._out_octets > _GATHERED_OCTETS:
                        self._flush()
                elif answer is not None:
                    # What was said before must not wait for what is still being thought of.
                    self._flush()
                    self._running = answer
                    answer.addCallbacks(self._answered_late, self._failed_late)
                    if self._running is not None:
                        break
                now = seconds()
                if now >= turn_end:
                    self._next_turn = self._clock.callLater(0, self._take_turn)
                    break
        finally:
            self._looping = False
        if heard and not self._of_silence:
            self._touch(now)
        if self._out:
            self._flush()
        if self._waiting_octets and self._running is None and not self._write_paused and self._next_turn is None:
            self._waiting_octets = 0
        if self._waiting_octets or self._reading_paused or self._write_paused:
            self._govern_reading()
        if self._engine.closed and self._running is None:
            self.close()

    def _go_on(self) -> None:
        self._going_on = None
        if not self._write_paused:
            self._tell_drained()

    def _tell_drained(self) -> None:
        self._turn_end = self._clock.seconds() + TURN_SECONDS
        waiting, self._drained = self._drained, []
        for drained in waiting:
            drained.callback(None)

    def _take_turn(self) -> None:
        self._next_turn = None
        self.resume()

    def _flush(self) -> None:
        if not self._out:
            return
        octets = b"".join(self._out)
        self._out.clear()
        self._out_octets = 0
        if octets and not self._gone:
            self._outlet.write(octets)

    def _answered(self, event: object) -> bytes | Deferred[bytes | None] | None:
        try:
            answer = self._session.answer(event)
        except Exception:
            return self._broken(Failure())
        if answer is None or isinstance(answer, bytes):
            return answer
        return answer if isinstance(answer, Deferred) else Deferred.fromCoroutine(answer)

    def _answered_late(self, octets: bytes | None) -> None:
        self._running = None
        if self._gone:
            return
        if octets:
            self.write(octets)
        self._touch()
        if self._farewell is not None:
            self.close(self._farewell)
        elif not self._looping:
            self._loop()

    def _failed_late(self, failure: Failure) -> None:
        self._running = None
        if self._gone and failure.check(CancelledError, ConnectionDone) is not None:
            return
        self._answered_late(self._broken(failure))

    def _broken(self, failure: Failure) -> bytes:
        self._log.failure("a command could not be answered", failure)
        return b"" if self._gone else self._session.broke(failure)

    # -- the transport's producer -----------------------------------------------------------------------------------

    def _register(self) -> None:
        self._is_producer = True
        self.transport.registerProducer(self, True)

    def _unregister(self) -> None:
        if self._is_producer:
            self._is_producer = False
            self.transport.unregisterProducer()

    # -- reading, time ----------------------------------------------------------------------------------------------

    def _govern_reading(self) -> None:
        if self._gone or self._closing:
            return
        too_much = self._waiting_octets > self._input_limit_octets or (
            # What is written during a handshake waits for what the peer has to say.
            self._write_paused and not is_shaking_hands(self.transport)
        )
        if too_much and not self._reading_paused:
            self._reading_paused = True
            self.transport.pauseProducing()
        elif self._reading_paused and not too_much:
            self._reading_paused = False
            self.transport.resumeProducing()

    def _touch(self, now: float | None = None) -> None:
        if self._timeout_seconds is not None:
            self._deadline = (self._clock.seconds() if now is None else now) + self._timeout_seconds

    def _arm(self, seconds: float) -> None:
        # One timer that looks at the deadline when it rings: input costs a sum, not a timer.
        if self._timer is not None:
            if self._timer.getTime() <= self._clock.seconds() + seconds:
                return
            self._timer.cancel()
        self._timer = self._clock.callLater(seconds, self._ring)

    def _ring(self) -> None:
        self._timer = None
        if self._timeout_seconds is None or self.is_gone:
            return
        if self._running is not None:
            self._touch()
        left = self._deadline - self._clock.seconds()
        if left > 0:
            self._arm(left)
        else:
            self.close(self._session.timed_out())

    def _cut_off(self) -> None:
        self._stall_timer = None
        if not self._gone:
            self.abort()

    def _cancel_timers(self) -> None:
        for timer in (self._timer, self._stall_timer, self._next_turn, self._going_on):
            if timer is not None and timer.active():
                timer.cancel()
        self._timer = self._stall_timer = self._next_turn = self._going_on = None

    def _forget_drained(self, drained: Deferred[None]) -> None:
        if drained in self._drained:
            self._drained.remove(drained)
