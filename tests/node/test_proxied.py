"""Clients of a proxy: no word before its header, and then the client's own address in all that is decided."""

import base64
import socket
from ipaddress import ip_network

import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.internet.threads import deferToThread
from twisted.logger import globalLogPublisher

from twisted_mail_node.node.proxied import HEADER_SECONDS, BehindProxy
from twisted_mail_node.testing.node import RunningNode

HEADER = b"PROXY TCP4 192.0.2.9 198.51.100.1 1234 25\r\n"


class Greeter(Protocol):
    def connectionMade(self):
        peer, host = self.transport.getPeer(), self.transport.getHost()
        self.transport.write(f"hello {peer.host} at {host.host}\n".encode())

    def dataReceived(self, data):
        self.transport.write(data)

    def connectionLost(self, reason):
        self.factory.left.append(self)


class Asked(Factory):
    protocol = Greeter
    noisy = False

    def __init__(self):
        self.asked, self.left = [], []

    def buildProtocol(self, addr):
        self.asked.append(addr)
        return super().buildProtocol(addr)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def factory():
    return Asked()


@pytest.fixture
def behind(factory, clock):
    return BehindProxy(factory, [ip_network("127.0.0.0/8")], clock)


def connect(behind):
    protocol = behind.buildProtocol(IPv4Address("TCP", "127.0.0.1", 40000))
    transport = StringTransport(peerAddress=IPv4Address("TCP", "127.0.0.1", 40000))
    protocol.makeConnection(transport)
    return protocol, transport


def test_nothing_is_said_before_the_header(behind, factory):
    protocol, transport = connect(behind)
    for octet in HEADER[:-1]:
        protocol.dataReceived(bytes([octet]))
    assert transport.value() == b""
    assert not factory.asked
    protocol.dataReceived(HEADER[-1:] + b"more")
    assert factory.asked == [IPv4Address("TCP", "192.0.2.9", 1234)]
    assert transport.value() == b"hello 192.0.2.9 at 198.51.100.1\nmore"
    protocol.dataReceived(b"!")
    assert transport.value().endswith(b"more!")


def test_an_address_of_version_6_is_told_as_such(behind, factory):
    protocol, _ = connect(behind)
    protocol.dataReceived(b"PROXY TCP6 2001:db8::9 2001:db8::1 1234 25\r\n")
    assert factory.asked == [IPv6Address("TCP", "2001:db8::9", 1234)]


def test_a_proxy_that_speaks_for_itself_is_the_client(behind):
    protocol, transport = connect(behind)
    protocol.dataReceived(b"PROXY UNKNOWN\r\n")
    assert transport.value().startswith(b"hello 127.0.0.1 at ")


def test_without_a_header_the_connection_ends_with_no_session(behind, factory, clock):
    protocol, transport = connect(behind)
    protocol.dataReceived(b"EHLO x\r\n")
    assert transport.disconnected
    protocol.connectionLost()
    assert not factory.asked
    assert not factory.left
    assert not clock.getDelayedCalls()


def test_a_silent_proxy_is_not_waited_for(behind, clock):
    _, transport = connect(behind)
    clock.advance(HEADER_SECONDS - 0.1)
    assert not transport.disconnected
    clock.advance(0.2)
    assert transport.disconnected


def test_the_session_learns_that_its_client_is_gone(behind, factory, clock):
    protocol, _ = connect(behind)
    protocol.dataReceived(HEADER)
    protocol.connectionLost()
    assert len(factory.left) == 1
    assert not clock.getDelayedCalls()
    assert not behind.protocols


def test_a_closed_port_hangs_up_on_who_still_waits(behind, factory, clock):
    behind.doStart()
    _, waiting = connect(behind)
    begun, served = connect(behind)
    begun.dataReceived(HEADER)
    behind.doStop()
    assert waiting.disconnected
    assert not served.disconnected
    assert not clock.getDelayedCalls()


def test_a_factory_that_takes_nobody_ends_the_connection(behind, factory):
    factory.buildProtocol = lambda addr: None
    protocol, transport = connect(behind)
    protocol.dataReceived(HEADER)
    assert transport.disconnected


def test_a_header_whose_checksum_is_wrong_ends_the_connection(behind, factory):
    protocol, transport = connect(behind)
    header = b"\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x13" + bytes(12) + b"\x03\x00\x04" + bytes(4)
    protocol.dataReceived(header)
    assert transport.disconnected
    assert not factory.asked


def test_only_trusted_proxies_and_unix_sockets_are_served(behind):
    assert behind.buildProtocol(IPv4Address("TCP", "192.0.2.1", 1)) is None
    assert behind.buildProtocol(UNIXAddress("")) is not None


@pytest_twisted.ensureDeferred
async def test_a_remote_client_of_a_proxy_on_this_machine_is_no_local_client(tmp_path):
    listen = [
        {"service": "submission", "endpoint": "haproxy:tcp:0:interface=127.0.0.1", "tls": "starttls"},
        {"service": "imap", "endpoint": "haproxy:tcp:0:interface=127.0.0.1", "tls": "starttls"},
    ]
    running = await RunningNode.start(reactor, tmp_path, {"listen": listen})
    await running.add_user("alice@example.test")
    secret = base64.b64encode(b"\0alice@example.test\0secret")

    def talk():
        with socket.create_connection(("127.0.0.1", running.port("submission")), 20) as plain:
            plain.sendall(HEADER + b"EHLO c.example\r\n")
            lines = plain.makefile("rb")
            offered = [lines.readline()]
            while offered[-1][3:4] == b"-" or offered[-1].startswith(b"220"):
                offered.append(lines.readline())
            assert not any(b"AUTH" in line for line in offered), offered
            plain.sendall(b"STARTTLS\r\n")
            assert lines.readline().startswith(b"220")
            with running.trust.wrap_socket(plain, server_hostname="localhost") as client:
                client.sendall(b"EHLO c.example\r\n")
                lines = client.makefile("rb")
                while lines.readline()[3:4] == b"-":
                    pass
                client.sendall(b"AUTH PLAIN " + secret + b"\r\n")
                return lines.readline()

    assert (await deferToThread(talk)).startswith(b"235")
    await running.stop()


class Proxy:
    """Clients of one service, with the proxy's header in front of what they say."""

    def __init__(self, port):
        self._port = port
        self._lines = []

    def client(self, host, words=b""):
        plain = socket.create_connection(("127.0.0.1", self._port), 20)
        plain.sendall(b"PROXY TCP4 %s 198.51.100.1 1234 25\r\n%s" % (host, words))
        lines = plain.makefile("rb")
        self._lines.append((plain, lines))
        return plain, lines

    def close(self):
        for plain, lines in self._lines:
            lines.close()
            plain.close()


@pytest_twisted.ensureDeferred
async def test_the_clients_address_is_what_is_counted_traced_and_logged(tmp_path):
    listen = [
        {"service": "smtp", "endpoint": "haproxy:tcp:0:interface=127.0.0.1", "tls": "starttls"},
        {"service": "imap", "endpoint": "haproxy:tcp:0:interface=127.0.0.1", "tls": "none"},
    ]
    settings = {
        "listen": listen,
        "limits": {"connections_per_address": 2},
        "smtp": {"greeting_delay": 0},
        "auth": {"plaintext": "always"},
    }
    running = await RunningNode.start(reactor, tmp_path, settings)
    await running.add_user("alice@example.test")
    refused = []

    def observe(event):
        if event.get("log_format", "").startswith("login of"):
            refused.append(event["peer"])

    globalLogPublisher.addObserver(observe)
    smtp, imap = Proxy(running.port("smtp")), Proxy(running.port("imap", "none"))

    def talk():
        greetings = [smtp.client(b"192.0.2.9")[1].readline() for _ in range(3)]
        assert [line[:3] for line in greetings] == [b"220", b"220", b"421"]
        plain, lines = smtp.client(b"192.0.2.10")
        assert lines.readline().startswith(b"220")
        # Who speaks before the greeting is no mail server.
        plain.sendall(b"HELO c.example\r\nMAIL FROM:<s@c.example>\r\nRCPT TO:<alice@example.test>\r\nDATA\r\n")
        assert [lines.readline()[:3] for _ in range(4)] == [b"250", b"250", b"250", b"354"]
        plain.sendall(b"Subject: x\r\n\r\ny\r\n.\r\n")
        assert lines.readline().startswith(b"250")
        _, lines = imap.client(b"192.0.2.11", b"a LOGIN alice@example.test wrong\r\n")
        assert lines.readline().startswith(b"* OK")
        assert lines.readline().startswith(b"a NO")

    try:
        await deferToThread(talk)
    finally:
        smtp.close()
        imap.close()
    globalLogPublisher.removeObserver(observe)
    message = await running.wait_for_message("alice@example.test")
    assert b"[192.0.2.10]" in message.partition(b"\r\n\r\n")[0]
    assert refused == ["192.0.2.11"]
    await running.stop()
