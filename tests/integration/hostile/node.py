"""The node that peers try to harm, and what may come of it."""

from __future__ import annotations

import os
import re
import resource
import socket
import ssl
from contextlib import ExitStack, contextmanager
from pathlib import Path

from ..processes import NodeProcess, listening, make_certificate
from .peers import Peer

USER, PASSWORD = "joe@example.test", "secret"
MAX_MESSAGE = 1024 * 1024
CONNECTIONS = 300
IDLE_SECONDS = 4
MIB = 1024 * 1024
GIB = 1024 * MIB
# What one peer may make a node grow by, whatever it sends. Buffers, a message, and what malloc keeps.
GROWTH = 24 * MIB

LISTEN = [
    ("smtp", "starttls"),
    ("submission", "starttls"),
    ("submission", "implicit"),
    ("lmtp", "none"),
    ("pop3", "starttls"),
    ("pop3", "implicit"),
    ("imap", "starttls"),
    ("imap", "implicit"),
]
PLAIN = [(service, tls) for service, tls in LISTEN if tls != "implicit"]
IMPLICIT = [(service, tls) for service, tls in LISTEN if tls == "implicit"]
GREETINGS = {"smtp": b"220 ", "submission": b"220 ", "lmtp": b"220 ", "pop3": b"+OK", "imap": b"* OK"}
SMTP_LIKE = ("smtp", "submission", "lmtp")


@contextmanager
def few_open_files():
    """What is started now may have few files open, less than its connections need, until it asks for more."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (CONNECTIONS // 2, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


class Node:
    def __init__(self, folder: Path) -> None:
        certificate, key = make_certificate(folder, "localhost", "127.0.0.1")
        self.trust = ssl.create_default_context(cafile=str(certificate))
        self.process = NodeProcess(
            folder,
            f"""
hostname = "mx.example.test"
state_dir = "state"
[[domain]]
name = "example.test"
{listening(LISTEN)}
[tls]
certificate = "{certificate}"
private_key = "{key}"
[auth]
hash_memory = "64 KiB"
hash_passes = 1
scram = ["sha-256"]
scram_iterations = 4096
[dns]
servers = ["127.0.0.1:1"]
[[listen]]
service = "smtp"
endpoint = "haproxy:tcp:0:interface=127.0.0.1"
tls = "none"
[proxy]
trusted = ["192.0.2.0/24"]
[smtp]
idle_timeout = "{IDLE_SECONDS} s"
[limits]
max_message_size = {MAX_MESSAGE}
connections = {CONNECTIONS}
""",
        )
        self.process.add_user(USER, PASSWORD)
        with few_open_files():
            self.process.start()

    def peer(self, service: str, tls: str = "starttls", greeted: bool = True) -> Peer:
        tls = "none" if service == "lmtp" else tls
        return Peer(self.process.listener(service, tls), GREETINGS[service] if greeted else b"")

    def memory(self, field: str = "VmRSS") -> int:
        status = Path(f"/proc/{self.process.process.pid}/status").read_text()
        return int(re.search(rf"^{field}:\s+(\d+) kB", status, re.M)[1]) * 1024

    def forget_peak(self) -> None:
        """From now on VmHWM tells the peak anew (proc(5), clear_refs)."""
        Path(f"/proc/{self.process.process.pid}/clear_refs").write_text("5")

    def open_files(self) -> int:
        """How many it has open, connections among them."""
        return len(os.listdir(f"/proc/{self.process.process.pid}/fd"))

    def serves(self) -> None:
        """Every service answers a client that comes now."""
        for service, tls in LISTEN:
            with ExitStack() as stack:
                if tls == "implicit":
                    raw = socket.create_connection(self.process.listener(service, tls), timeout=20)
                    client = stack.enter_context(self.trust.wrap_socket(raw, server_hostname="localhost"))
                    assert client.recv(500).startswith(GREETINGS[service])
                    continue
                peer = stack.enter_context(self.peer(service))
                if service == "pop3":
                    assert peer.ask(b"QUIT").startswith(b"+OK")
                elif service == "imap":
                    assert peer.ask(b"z NOOP").startswith(b"z OK")
                else:
                    assert peer.ask(b"NOOP").startswith(b"250 ")

    def deliver(self, content: bytes, rcpt: str = USER) -> bytes:
        with self.peer("smtp") as peer:
            peer.send(b"EHLO c.test\r\n")
            peer.reply()
            assert peer.ask(b"MAIL FROM:<s@c.test>").startswith(b"250")
            assert peer.ask(b"RCPT TO:<%s>" % rcpt.encode()).startswith(b"250")
            assert peer.ask(b"DATA").startswith(b"354")
            peer.send(content + b"\r\n.\r\n")
            return peer.line()

    def imap(self) -> Peer:
        peer = self.peer("imap")
        assert peer.ask(b"a LOGIN %s %s" % (USER.encode(), PASSWORD.encode())).startswith(b"a OK")
        return peer

    def pop3(self) -> Peer:
        peer = self.peer("pop3")
        assert peer.ask(b"USER " + USER.encode()).startswith(b"+OK")
        assert peer.ask(b"PASS " + PASSWORD.encode()).startswith(b"+OK")
        return peer

    def in_transaction(self, service: str = "smtp", accepted: bytes = USER.encode()) -> Peer:
        peer = self.peer(service)
        peer.send((b"LHLO" if service == "lmtp" else b"EHLO") + b" c.test\r\n")
        peer.reply()
        assert peer.ask(b"MAIL FROM:<s@c.test>").startswith(b"250")
        assert peer.ask(b"RCPT TO:<%s>" % accepted).startswith(b"250")
        return peer


def allowing(octets: int):
    def mark(function):
        function.allowed_growth = octets
        return function

    return mark
