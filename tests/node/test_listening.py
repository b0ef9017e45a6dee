"""Listeners on real sockets: bound early, served late, in layers, and given back."""

import os
import socket
import ssl
from datetime import UTC, datetime

import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint, connectProtocol
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.threads import deferToThread

from twisted_mail_node.node.config import parse_config
from twisted_mail_node.node.config.endpoint import split_endpoint
from twisted_mail_node.node.errors import CannotStart
from twisted_mail_node.node.listening import Listening
from twisted_mail_node.node.tls import ServerTLS, make_certificate


class Greeter(Protocol):
    """Tells a client who it is taken for."""

    def connectionMade(self):
        peer = self.transport.getPeer()
        self.transport.write(f"hello {getattr(peer, 'host', 'unix')}\n".encode())

    def dataReceived(self, data):
        peer = self.transport.getPeer()
        self.transport.write(f"{peer.host}\n".encode())


class Listener(Protocol):
    """Keeps what comes, until the connection is gone."""

    def __init__(self):
        self.heard, self.gone, self.wanted = b"", Deferred(), None

    def hears(self, wanted):
        """Fires when these octets have come."""
        heard = Deferred()
        self.wanted = (wanted, heard)
        self.dataReceived(b"")
        return heard

    def dataReceived(self, data):
        self.heard += data
        if self.wanted is not None and self.wanted[0] in self.heard:
            (_, came), self.wanted = self.wanted, None
            came.callback(None)

    def connectionLost(self, reason):
        assert reason.check(ConnectionDone, ConnectionLost)
        self.gone.callback(self.heard)


def listening_at(endpoint, tmp_path, **settings):
    config = parse_config({"listen": [{"service": "smtp", "endpoint": endpoint}], **settings}, base=tmp_path)
    factory = Factory.forProtocol(Greeter)
    return Listening(
        reactor, config.listeners()[0], factory, ServerTLS(reactor), tmp_path / "mailnode-state", config.proxy.trusted
    )


async def connected(listening):
    port = listening.listener.port
    return await connectProtocol(TCP4ClientEndpoint(reactor, "127.0.0.1", port), Listener())


@pytest_twisted.ensureDeferred
async def test_a_wave_of_clients_finds_room(tmp_path):
    listening = listening_at("tcp:0:interface=127.0.0.1", tmp_path)
    listening.bind()
    clients = [socket.create_connection(("127.0.0.1", listening.listener.port), timeout=0.9) for _ in range(300)]
    for client in clients:
        client.close()
    await listening.close()


def test_a_backlog_that_is_told_stays():
    for told in ("tcp:25:backlog=7", "systemd:domain=INET:index=0"):
        assert split_endpoint(told).with_backlog(100).inner_text() == told
    assert split_endpoint("unix:/run/x").with_backlog(100).inner_text() == "unix:/run/x:backlog=100"


@pytest_twisted.ensureDeferred
async def test_a_bound_port_keeps_clients_waiting_until_it_accepts(tmp_path):
    listening = listening_at("tcp:0:interface=127.0.0.1", tmp_path)
    listening.bind()
    client = await connected(listening)
    assert client.heard == b""
    listening.accept()
    await client.hears(b"hello 127.0.0.1\n")
    client.transport.abortConnection()
    await listening.close()
    assert not listening.is_bound


@pytest_twisted.ensureDeferred
async def test_answers_do_not_wait_for_more_to_send(tmp_path):
    listening = listening_at("tcp:0:interface=127.0.0.1", tmp_path)
    listening.bind()
    assert listening._port.socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    await listening.close()


def test_a_port_that_is_taken_is_told(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        endpoint = f"tcp:{taken.getsockname()[1]}:interface=127.0.0.1"
        with pytest.raises(CannotStart) as caught:
            listening_at(endpoint, tmp_path).bind()
    assert str(caught.value) == f"smtp can't listen on {endpoint}: another program listens there already"


def test_without_a_reactor_the_port_is_free_at_once(tmp_path):
    listening = listening_at("tcp:0:interface=127.0.0.1", tmp_path)
    listening.bind()
    port = listening.listener.port
    listening.close_now()
    with socket.create_server(("127.0.0.1", port)):
        pass


@pytest_twisted.ensureDeferred
async def test_a_unix_socket_that_a_killed_process_left_is_replaced(tmp_path):
    path = tmp_path / "s"
    left = socket.socket(socket.AF_UNIX)
    left.bind(str(path))
    left.close()
    os.symlink(str(os.getpid()), f"{path}.lock")
    listening = listening_at(f"unix:{path}", tmp_path)
    listening.bind()
    assert listening.listener.path == str(path)
    assert listening.listener.as_json() == {
        "service": "smtp", "tls": "none", "endpoint": f"unix:{path}", "path": str(path),
    }  # fmt: skip
    await listening.close()
    assert not path.exists()


def test_a_unix_socket_that_is_answered_is_left_alone(tmp_path):
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(path))
        other.listen()
        with pytest.raises(CannotStart, match="another program listens there already"):
            listening_at(f"unix:{path}:lockfile=0", tmp_path).bind()
    assert path.exists()


def test_a_file_in_the_place_of_a_unix_socket_is_left_alone(tmp_path):
    (tmp_path / "s").write_text("mine")
    with pytest.raises(CannotStart):
        listening_at("unix:s:lockfile=0", tmp_path).bind()
    assert (tmp_path / "s").read_text() == "mine"


@pytest_twisted.ensureDeferred
async def test_a_trusted_proxy_tells_who_the_client_is(tmp_path):
    listening = listening_at("haproxy:tcp:0:interface=127.0.0.1", tmp_path)
    listening.bind()
    listening.accept()
    client = await connected(listening)
    client.transport.write(b"PROXY TCP4 192.0.2.9 192.0.2.1 1234 25\r\nwho am I")
    await client.hears(b"hello 192.0.2.9\n192.0.2.9\n")
    client.transport.abortConnection()
    await listening.close()


@pytest_twisted.ensureDeferred
async def test_nobody_else_is_believed_to_be_a_proxy(tmp_path):
    listening = listening_at("haproxy:tcp:0:interface=127.0.0.1", tmp_path, proxy={"trusted": ["192.0.2.0/24"]})
    listening.bind()
    listening.accept()
    client = await connected(listening)
    assert await client.gone == b""
    await listening.close()


def test_a_socket_that_systemd_did_not_pass_is_told(tmp_path):
    with pytest.raises(CannotStart, match="systemd passed no such socket"):
        listening_at("systemd:domain=INET:index=0", tmp_path).bind()


def test_what_is_bound_after_the_state_folder_is_known(tmp_path):
    assert listening_at("unix:{state_dir}/a.sock", tmp_path).is_in_state_folder
    assert not listening_at("unix:a.sock", tmp_path).is_in_state_folder
    assert not listening_at("tcp:0", tmp_path).is_in_state_folder


@pytest.fixture
def certificate(tmp_path):
    """The paths of a certificate for localhost and its key."""
    made = make_certificate(["localhost"], datetime.now(UTC))
    for name, content in zip(("cert.pem", "key.pem"), made, strict=True):
        (tmp_path / name).write_bytes(content)
    return tmp_path / "cert.pem", tmp_path / "key.pem"


@pytest_twisted.ensureDeferred
async def test_tls_lies_behind_the_header_of_a_proxy(tmp_path, certificate):
    files = {"certificate": "cert.pem", "private_key": "key.pem"}
    listen = [{"service": "imap", "endpoint": "haproxy:tcp:0:interface=127.0.0.1", "tls": "implicit"}]
    config = parse_config({"listen": listen, "tls": files}, base=tmp_path)
    tls = ServerTLS(reactor)
    tls.load(config.tls)
    factory = Factory.forProtocol(Greeter)
    listening = Listening(reactor, config.listeners()[0], factory, tls, tmp_path, config.proxy.trusted)
    listening.bind()
    listening.accept()
    port = listening.listener.port

    def talk():
        trust = ssl.create_default_context(cafile=str(certificate[0]))
        with socket.create_connection(("127.0.0.1", port), 20) as plain:
            plain.sendall(b"PROXY TCP4 192.0.2.9 192.0.2.1 1234 993\r\n")
            with trust.wrap_socket(plain, server_hostname="localhost") as client:
                client.sendall(b"who am I")
                heard = b""
                while b"192.0.2.9\n" not in heard:
                    heard += client.recv(100)

    await deferToThread(talk)
    await listening.close()


@pytest_twisted.ensureDeferred
async def test_an_ssl_endpoint_is_taken_as_it_is(tmp_path, certificate):
    keys = f"privateKey={certificate[1]}:certKey={certificate[0]}"
    listening = listening_at(f"ssl:0:interface=127.0.0.1:{keys}", tmp_path)
    listening.bind()
    assert listening.listener.tls == "implicit"
    await listening.close()


def test_an_ssl_endpoint_without_its_key_is_told(tmp_path):
    with pytest.raises(CannotStart, match="no such file or directory"):
        listening_at(f"ssl:0:privateKey={tmp_path}/none.pem", tmp_path).bind()
