"""
What peers may try against TLS: garbage, plain text, half a handshake, renegotiation, the wrong protocol, half a close.

One node runs through all of it. Whatever comes, the connection ends at once or goes on as if nothing had been, nothing
of it stays in memory, and the next client is served.
"""

from __future__ import annotations

import itertools
import re
import socket
import ssl
import struct
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
from OpenSSL import SSL

from .processes import NodeProcess, eventually, listening, make_certificate

MIB = 1024 * 1024
GROWTH = 24 * MIB

LISTEN = [
    ("smtp", "starttls"),
    ("submission", "implicit"),
    ("pop3", "starttls"),
    ("pop3", "implicit"),
    ("imap", "starttls"),
    ("imap", "implicit"),
]
GREETINGS = {"smtp": b"220 ", "submission": b"220 ", "pop3": b"+OK", "imap": b"* OK"}
UPGRADES = {"smtp": b"EHLO c.test\r\nSTARTTLS\r\n", "pop3": b"STLS\r\n", "imap": b"a STARTTLS\r\n"}
READY = {"smtp": re.compile(rb"^220 2\.0\.0[^\r]*\r\n", re.M), "pop3": re.compile(rb"^\+OK[^\r]*\r\n$", re.M),
         "imap": re.compile(rb"^a OK[^\r]*\r\n", re.M)}  # fmt: skip
QUESTIONS = {"smtp": b"NOOP\r\n", "submission": b"NOOP\r\n", "pop3": b"CAPA\r\n", "imap": b"b NOOP\r\n"}
ANSWERS = {"smtp": b"250 ", "submission": b"250 ", "pop3": b"+OK", "imap": b"b OK"}


class Node:
    def __init__(self, folder: Path) -> None:
        self.certificate, key = make_certificate(folder, "localhost", "127.0.0.1")
        self.trust = ssl.create_default_context(cafile=str(self.certificate))
        self.process = NodeProcess(
            folder,
            f'hostname = "mx.example.test"\nstate_dir = "state"\n{listening(LISTEN)}'
            f'[tls]\ncertificate = "{self.certificate}"\nprivate_key = "{key}"\n[store]\nkind = "memory"\n',
        )
        self.process.start()

    def about_to_shake_hands(self, service: str, tls: str) -> socket.socket:
        """A connection at the moment where the server waits for a ClientHello."""
        plain = socket.create_connection(self.process.listener(service, tls), timeout=20)
        if tls == "starttls":
            heard = plain.recv(1000)
            assert heard.startswith(GREETINGS[service])
            plain.sendall(UPGRADES[service])
            heard = b""
            while not READY[service].search(heard):
                heard += plain.recv(1000)
        return plain

    def client(self, service: str, tls: str, context: ssl.SSLContext | None = None) -> ssl.SSLSocket:
        plain = self.about_to_shake_hands(service, tls)
        try:
            client = (context or self.trust).wrap_socket(plain, server_hostname="localhost")
        except BaseException:
            plain.close()
            raise
        if tls == "implicit":
            assert client.recv(1000).startswith(GREETINGS[service])
        return client

    def serves(self) -> None:
        for service, tls in LISTEN:
            with self.client(service, tls) as client:
                assert is_answered(client, service)

    def memory(self) -> int:
        status = Path(f"/proc/{self.process.process.pid}/status").read_text()
        return int(re.search(r"^VmRSS:\s+(\d+) kB", status, re.M)[1]) * 1024

    def sockets(self) -> int:
        folder = Path(f"/proc/{self.process.process.pid}/fd")
        return sum(link.is_socket() for link in folder.iterdir())


def is_answered(client, service: str) -> bool:
    client.sendall(QUESTIONS[service])
    heard = b""
    while ANSWERS[service] not in heard:
        octets = client.recv(1000)
        if not octets:
            return False
        heard += octets
    return True


def rest(plain: socket.socket) -> bytes:
    """All that comes until the node closes."""
    heard = b""
    try:
        while octets := plain.recv(65536):
            heard += octets
    except ConnectionResetError:
        pass
    return heard


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    node = Node(tmp_path_factory.mktemp("hostile-tls"))
    try:
        node.serves()
        yield node
        node.serves()
    finally:
        node.process.stop()
    assert "Traceback" not in node.process.log


@pytest.fixture(autouse=True)
def unharmed(node):
    """Nothing stays of what a test does: no memory to speak of, and no connection."""
    memory, sockets = node.memory(), node.sockets()
    yield
    eventually(lambda: node.sockets() <= sockets)
    assert node.memory() - memory < GROWTH


def record(kind: int, content: bytes, version: int = 0x0303, length: int | None = None) -> bytes:
    return struct.pack("!BHH", kind, version, len(content) if length is None else length) + content


HANDSHAKE, ALERT, DATA = 22, 21, 23
TAG_OCTETS = 16

GARBAGE = {
    "noise": bytes(range(256)) * 64,
    "zeros": bytes(20_000),
    "smtp": b"EHLO c.test\r\nMAIL FROM:<>\r\n" * 50,
    "http": b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "imap": b"a LOGIN joe secret\r\n",
    "sslv2": b"\x80\x2e\x01\x00\x02\x00\x15\x00\x00\x00\x10" + bytes(37),
    "sslv3": record(
        HANDSHAKE, b"\x01\x00\x00\x2b\x03\x00" + bytes(32) + b"\x00\x00\x04\x00\x2f\x00\x35\x01\x00", 0x0300
    ),
    "data-first": record(DATA, b"x" * 100),
    "alert-first": record(ALERT, b"\x02\x28"),
    "record-too-long": record(HANDSHAKE, bytes(17_000), length=0xFFFF),
    "hello-too-long": record(HANDSHAKE, b"\x01\xff\xff\xff" + bytes(16_000)) * 20,
    "empty-records": record(HANDSHAKE, b"") * 10_000,
    "hello-of-nothing": record(HANDSHAKE, b"\x01\x00\x00\x00"),
    "unknown-kind": record(99, b"x" * 100),
}


@pytest.mark.parametrize("garbage", GARBAGE.values(), ids=GARBAGE.keys())
def test_what_is_no_handshake_ends_the_connection_at_once(node, garbage):
    for service, tls in LISTEN:
        with node.about_to_shake_hands(service, tls) as plain:
            try:
                plain.sendall(garbage)
            except ConnectionError:
                continue
            began = time.monotonic()
            heard = rest(plain)
            assert time.monotonic() - began < 5, "it was waited for more"
            assert heard == b"" or heard[0] == ALERT, heard[:40]


def test_handshakes_that_are_broken_off_leave_nothing(node):
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = node.trust.wrap_bio(incoming, outgoing, server_hostname="localhost")
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    hello = outgoing.read()
    for number in range(150):
        service, tls = LISTEN[number % len(LISTEN)]
        with node.about_to_shake_hands(service, tls) as plain:
            plain.sendall(hello[: len(hello) * (number % 5) // 4])
            if number % 3 == 0:
                # With a reset instead of an end.
                plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


@pytest.mark.parametrize(("service", "tls"), LISTEN)
def test_a_handshake_octet_by_octet_is_one(node, service, tls):
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = node.trust.wrap_bio(incoming, outgoing, server_hostname="localhost")
    with node.about_to_shake_hands(service, tls) as plain:
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while client.version() is None or outgoing.pending:
            try:
                client.do_handshake()
            except ssl.SSLWantReadError:
                pass
            sent = outgoing.read()
            for position in range(len(sent)):
                plain.send(sent[position : position + 1])
            if client.version() is None:
                incoming.write(plain.recv(65536))


def openssl_client(node, service: str, tls: str, **settings) -> SSL.Connection:
    context = SSL.Context(SSL.TLS_METHOD)
    context.set_max_proto_version(settings.get("highest", SSL.TLS1_3_VERSION))
    client = SSL.Connection(context, node.about_to_shake_hands(service, tls))
    client.set_connect_state()
    client.setblocking(True)
    client.set_tlsext_host_name(settings.get("name", b"localhost"))
    return client


@pytest.mark.parametrize(("service", "tls"), LISTEN)
def test_renegotiation_is_refused(node, service, tls):
    client = openssl_client(node, service, tls, highest=SSL.TLS1_2_VERSION)
    client.do_handshake()
    if tls == "implicit":
        client.recv(1000)
    assert client.renegotiate()
    with pytest.raises(SSL.Error) as refused:
        client.do_handshake()
    assert "no renegotiation" in str(refused.value)
    client.sock_shutdown(socket.SHUT_RDWR)


def record_lengths(plain: socket.socket) -> Iterator[int]:
    """The lengths of the records that come, one after the other."""
    heard = b""
    while octets := plain.recv(65536):
        heard += octets
        while len(heard) >= 5 and len(heard) >= (end := 5 + int.from_bytes(heard[3:5], "big")):
            yield end - 5
            heard = heard[end:]


class Sending:
    """
    What a client sends under TLS 1.3, with a change of key before each record but the first (RFC 8446 §4.6.3).

    `secret` is its first for application data, of which nothing was sent yet.
    """

    UPDATE = b"\x18\x00\x00\x01\x01"
    """A change of key that asks for one in return."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def update(self) -> bytes:
        sealed = self.sealed(HANDSHAKE, self.UPDATE)
        self._secret = self._expanded(b"traffic upd", 32)
        return sealed

    def sealed(self, kind: int, content: bytes) -> bytes:
        """A record: the first under its key."""
        key, nonce = self._expanded(b"key", 16), self._expanded(b"iv", 12)
        header = struct.pack("!BHH", DATA, 0x0303, len(content) + 1 + TAG_OCTETS)
        return header + AESGCM(key).encrypt(nonce, content + bytes([kind]), header)

    def _expanded(self, label: bytes, octets: int) -> bytes:
        label = b"tls13 " + label
        info = struct.pack("!HB", octets, len(label)) + label + b"\x00"
        return HKDFExpand(hashes.SHA256(), octets, info).derive(self._secret)


def test_keys_that_are_changed_over_and_over_are_no_matter(node, tmp_path):
    keys = tmp_path / "keys"
    context = ssl.create_default_context(cafile=str(node.certificate))
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.keylog_filename = str(keys)
    with (
        node.about_to_shake_hands("imap", "implicit") as plain,
        context.wrap_socket(plain.dup(), server_hostname="localhost") as client,
    ):
        assert client.cipher()[0] == "TLS_AES_128_GCM_SHA256"
        sending = Sending(bytes.fromhex(re.search(r"CLIENT_TRAFFIC_SECRET_0 \S+ (\S+)", keys.read_text())[1]))
        plain.sendall(b"".join(sending.update() for _ in range(5_000)))
        plain.sendall(sending.sealed(DATA, b"a NOOP\r\n"))
        # Behind tickets and the greeting, as many changes of the node's own key, and the answer to NOOP.
        update = len(Sending.UPDATE) + 1 + TAG_OCTETS
        lengths = itertools.dropwhile(lambda length: length != update, record_lengths(plain))
        assert [next(lengths) for _ in range(5_001)].count(update) == 5_000


@pytest.mark.parametrize("name", [b"x" * 255, b"\xff\xfe", b"*.example.test", b"..", b"-", b"a\x01b", b"xn--"])
def test_names_that_can_be_none_get_the_first_certificate(node, name):
    client = openssl_client(node, "imap", "implicit", name=name)
    client.do_handshake()
    subject = client.get_peer_certificate().to_cryptography().subject.rfc4514_string()
    assert subject == "CN=localhost"
    client.sock_shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize(("service", "tls"), LISTEN)
def test_a_client_that_was_led_here_for_another_protocol_is_told_so(node, service, tls):
    browser = ssl.create_default_context(cadata=None)
    browser.check_hostname, browser.verify_mode = False, ssl.CERT_NONE
    browser.set_alpn_protocols(["h2", "http/1.1"])
    with pytest.raises(ssl.SSLError, match=r"(?i)no.application.protocol"):
        node.client(service, tls, browser)


@pytest.mark.parametrize(("service", "tls"), LISTEN)
def test_who_closes_its_half_gets_the_other_half_closed(node, service, tls):
    with node.client(service, tls) as client:
        assert is_answered(client, service)
        plain = client.unwrap()
        assert rest(plain) == b""
        plain.close()
    with node.client(service, tls) as client:
        # Without a word of TLS: the end of TCP's half alone.
        client.shutdown(socket.SHUT_WR)
        rest(client)


@pytest.mark.parametrize(("service", "tls"), LISTEN)
def test_garbage_in_the_midst_ends_the_connection(node, service, tls):
    with node.about_to_shake_hands(service, tls) as plain:
        client = node.trust.wrap_socket(plain.dup(), server_hostname="localhost")
        assert tls == "starttls" or client.recv(1000).startswith(GREETINGS[service])
        assert is_answered(client, service)
        plain.sendall(record(DATA, b"x" * 64))
        assert rest(plain)[:1] in (b"", bytes([DATA]))
        client.close()
