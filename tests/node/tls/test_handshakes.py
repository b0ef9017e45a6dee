"""Who never shakes hands is left, in whichever way TLS began."""

import gc
import ssl

import pytest
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.protocols.tls import TLSMemoryBIOFactory

from twisted_mail_node.mail.envelope import Service
from twisted_mail_node.node.tls import ServerTLS
from twisted_mail_node.node.tls.handshakes import HANDSHAKE_SECONDS
from twisted_mail_node.testing.certificates import issue

from .conversation import settings, trusting, written


class Transport(StringTransport):
    def abortConnection(self):  # noqa: N802  Twisted's name
        self.disconnected = True
        self.protocol.connectionLost(None)


class Peer:
    """A client of Python's ssl in front of Twisted's TLS over a transport in memory."""

    def __init__(self, factory, context):
        self.protocol = factory.buildProtocol(None)
        self.transport = Transport()
        self.transport.protocol = self.protocol
        self.protocol.makeConnection(self.transport)
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.client = context.wrap_bio(self._incoming, self._outgoing, server_hostname="mx.a.test")

    def shake_hands(self, rounds=4):
        for _ in range(rounds):
            try:
                self.client.do_handshake()
            except ssl.SSLWantReadError:
                pass
            if sent := self._outgoing.read():
                self.protocol.dataReceived(sent)
            self._incoming.write(self.transport.value())
            self.transport.clear()


class Lost(Protocol):
    lost = False

    def connectionLost(self, reason):
        self.lost = True


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def tls(clock, tmp_path):
    tls = ServerTLS(clock)
    issued = issue("mx.a.test")
    tls.load(settings(written(tmp_path, "a", issued)))
    tls.trust = trusting(issued)
    return tls


@pytest.fixture
def connect(tls):
    factory = TLSMemoryBIOFactory(tls.serving(Service.IMAP), False, Factory.forProtocol(Lost))
    return lambda: Peer(factory, tls.trust)


def test_a_silent_client_is_cut_off_in_time(connect, clock):
    peer = connect()
    session = peer.protocol.wrappedProtocol
    clock.advance(HANDSHAKE_SECONDS - 1)
    assert not peer.transport.disconnected
    clock.advance(1)
    assert peer.transport.disconnected
    assert session.lost
    assert not clock.getDelayedCalls()


def test_a_handshake_that_is_begun_and_not_ended_is_cut_off_too(connect, clock):
    peer = connect()
    peer.shake_hands(rounds=1)
    clock.advance(HANDSHAKE_SECONDS)
    assert peer.transport.disconnected


def test_who_has_shaken_hands_stays(connect, clock):
    peer = connect()
    peer.shake_hands()
    assert peer.client.version()
    clock.advance(HANDSHAKE_SECONDS)
    assert not peer.transport.disconnected


def test_each_has_its_own_time(connect, clock, tls):
    first = connect()
    clock.advance(20)
    second = connect()
    clock.advance(HANDSHAKE_SECONDS - 20)
    assert (first.transport.disconnected, second.transport.disconnected) == (True, False)
    clock.advance(20)
    assert second.transport.disconnected
    assert not len(tls.handshakes)


def test_who_has_gone_is_not_kept(connect, tls, clock):
    peer = connect()
    peer.protocol.connectionLost(None)
    del peer
    gc.collect()
    assert not len(tls.handshakes)
    clock.advance(HANDSHAKE_SECONDS)
    assert not clock.getDelayedCalls()


def test_a_node_that_stops_expects_nobody(connect, tls, clock):
    peer = connect()
    tls.handshakes.stop()
    assert not clock.getDelayedCalls()
    assert not peer.transport.disconnected
    tls.handshakes.stop()
