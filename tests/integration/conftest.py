"""Two nodes, A and B, with a name server that knows the domains a.test and b.test."""

from __future__ import annotations

from pathlib import Path

import pytest

from .processes import NameServer, NodeProcess, free_port, make_certificate

A, B = "127.0.0.2", "127.0.0.3"
PASSWORD = "correct horse battery"


def config_of(letter: str, host: str, relay_port: int, dns_port: int, certificate: Path, key: Path) -> str:
    """A node at an address of its own that serves one domain."""
    return f"""
hostname = "mx.{letter}.test"
state_dir = "state"
[[domain]]
name = "{letter}.test"
[[listen]]
service = "smtp"
endpoint = "tcp:{relay_port}:interface={host}"
tls = "starttls"
[[listen]]
service = "submission"
endpoint = "tcp:0:interface={host}"
tls = "starttls"
[[listen]]
service = "submission"
endpoint = "tcp:0:interface={host}"
tls = "implicit"
[[listen]]
service = "pop3"
endpoint = "tcp:0:interface={host}"
tls = "starttls"
[[listen]]
service = "pop3"
endpoint = "tcp:0:interface={host}"
tls = "implicit"
[[listen]]
service = "imap"
endpoint = "tcp:0:interface={host}"
tls = "starttls"
[[listen]]
service = "imap"
endpoint = "tcp:0:interface={host}"
tls = "implicit"
[tls]
certificate = "{certificate}"
private_key = "{key}"
[dns]
servers = ["127.0.0.1:{dns_port}"]
[relay]
port = {relay_port}
"""


class Pair:
    """The two nodes and what both share."""

    def __init__(self, folder: Path) -> None:
        self.relay_port = free_port(A, B)
        self.certificate, key = make_certificate(folder, "mx.a.test", "mx.b.test", A, B)
        self.names = NameServer(
            [
                ["a.test", "MX", 10, "mx.a.test"],
                ["b.test", "MX", 10, "gone.b.test"],
                ["b.test", "MX", 20, "mx.b.test"],
                ["mx.a.test", "A", A],
                ["mx.b.test", "A", B],
            ]
        )
        parts = (self.relay_port, self.names.port, self.certificate, key)
        self.a = NodeProcess(folder / "a", config_of("a", A, *parts))
        self.b = NodeProcess(folder / "b", config_of("b", B, *parts))

    def start(self) -> None:
        self.a.add_user("alice@a.test", PASSWORD)
        self.a.add_user("anna@a.test", PASSWORD)
        self.b.add_user("bob@b.test", PASSWORD)
        self.b.add_user("berta@b.test", PASSWORD)
        self.a.start()
        self.b.start()

    def stop(self) -> None:
        self.a.stop()
        self.b.stop()
        self.names.stop()


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    pair = Pair(tmp_path_factory.mktemp("pair"))
    try:
        pair.start()
        yield pair
    finally:
        pair.stop()
