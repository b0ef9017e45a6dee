"""
Clients that never shake hands are left: until a handshake is done, no session's own timeout knows of them.

All are given the same time, so they are kept in the order in which they came, behind one timer. What is gone is not
kept.
"""

from __future__ import annotations

from weakref import WeakKeyDictionary

from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.protocols.tls import TLSMemoryBIOProtocol

HANDSHAKE_SECONDS = 60.0
"""How long a handshake may take: nginx's default, and room for many round trips over the slowest lines."""


class Handshakes:
    """Those that are under way."""

    _log = Logger()

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._expected: WeakKeyDictionary[TLSMemoryBIOProtocol, float] = WeakKeyDictionary()
        self._timer: IDelayedCall | None = None

    def __len__(self) -> int:
        return len(self._expected)

    def expect(self, transport: TLSMemoryBIOProtocol) -> None:
        """Cut the transport off, if its handshake is not done in time."""
        self._expected[transport] = self._clock.seconds() + HANDSHAKE_SECONDS
        if self._timer is None:
            self._timer = self._clock.callLater(HANDSHAKE_SECONDS, self._look)

    def stop(self) -> None:
        """Expect no more of anybody."""
        timer, self._timer = self._timer, None
        self._expected.clear()
        if timer is not None:
            timer.cancel()

    def _look(self) -> None:
        self._timer = None
        now = self._clock.seconds()
        for transport, deadline in list(self._expected.items()):
            if deadline > now:
                self._timer = self._clock.callLater(deadline - now, self._look)
                return
            del self._expected[transport]
            # The client's last message of a handshake is its Finished.
            if transport.connected and transport.getHandle().get_peer_finished() is None:
                peer = getattr(transport.getPeer(), "host", "")
                self._log.info("a TLS handshake took too long: {peer}", peer=peer)
                transport.abortConnection()
