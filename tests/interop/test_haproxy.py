"""
HAProxy in front of the node, with both versions of its header: clients are known by their own address, TLS is the
node's, and what the proxy says of a TLS that it ended itself is not believed.
"""

from __future__ import annotations

import imaplib
import smtplib
import socket
import subprocess

import pytest

from ..integration.processes import NodeProcess, eventually, free_port, make_certificate, trusting

pytestmark = pytest.mark.interop

USER, PASSWORD = "joe@interop.test", "correct-horse"
CLIENT = "127.0.0.9"

NODE = """
hostname = "localhost"
state_dir = "state"
[[domain]]
name = "interop.test"
[[listen]]
service = "smtp"
endpoint = "haproxy:tcp:0:interface=127.0.0.1"
[[listen]]
service = "imap"
endpoint = "haproxy:tcp:0:interface=127.0.0.1"
tls = "implicit"
[[listen]]
service = "imap"
endpoint = "haproxy:tcp:0:interface=127.0.0.1"
tls = "none"
[tls]
certificate = "cert.pem"
private_key = "key.pem"
[auth]
plaintext = "never"
"""

PROXY = """
global
  log stdout format raw local0
  ssl-default-bind-options ssl-min-ver TLSv1.2
defaults
  mode tcp
  log global
  option log-health-checks
  unique-id-format %{{+X}}o\\ %ci:%cp
  timeout connect 5s
  timeout client 30s
  timeout server 30s
listen smtp-1
  bind 127.0.0.1:{smtp_1}
  server node 127.0.0.1:{smtp} send-proxy
listen smtp-2
  bind 127.0.0.1:{smtp_2}
  option smtpchk EHLO haproxy.interop.test
  server node 127.0.0.1:{smtp} send-proxy-v2 proxy-v2-options crc32c,unique-id check inter 100ms
listen imap-1
  bind 127.0.0.1:{imap_1}
  server node 127.0.0.1:{imap} send-proxy
listen imap-2
  bind 127.0.0.1:{imap_2}
  server node 127.0.0.1:{imap} send-proxy-v2 proxy-v2-options crc32c
listen imap-ended
  bind 127.0.0.1:{imap_ended} ssl crt {certificate}
  server node 127.0.0.1:{imap_plain} send-proxy-v2-ssl-cn proxy-v2-options crc32c,ssl,cert-cn
"""


class Site:
    """The node and the proxy in front of it."""

    def __init__(self, folder):
        self.certificate, key = make_certificate(folder, "localhost")
        self.node = NodeProcess(folder, NODE)
        self.node.add_user(USER, PASSWORD)
        self.node.start()
        both = folder / "both.pem"
        both.write_bytes(self.certificate.read_bytes() + key.read_bytes())
        names = ("smtp_1", "smtp_2", "imap_1", "imap_2", "imap_ended")
        self.ports = {name: free_port("127.0.0.1") for name in names}
        behind = {
            "smtp": self.node.listener("smtp", "starttls")[1],
            "imap": self.node.listener("imap", "implicit")[1],
            "imap_plain": self.node.listener("imap", "none")[1],
        }
        (folder / "haproxy.cfg").write_text(PROXY.format(**self.ports, **behind, certificate=both))
        self._said = folder / "haproxy.log"
        with self._said.open("wb") as said:
            command = ["haproxy", "-db", "-f", folder / "haproxy.cfg"]
            self._proxy = subprocess.Popen(command, stdout=said, stderr=said)
        eventually(self._listens)

    def _listens(self) -> bool:
        assert self._proxy.poll() is None, self.said()
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.ports["imap_ended"])) == 0

    def said(self) -> str:
        """What the proxy said."""
        return self._said.read_text(errors="replace")

    def imap(self, name: str) -> imaplib.IMAP4_SSL:
        return imaplib.IMAP4_SSL("localhost", self.ports[name], ssl_context=trusting(self.certificate), timeout=20)

    def stop(self) -> None:
        self._proxy.terminate()
        self._proxy.wait(15)
        self.node.stop()


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    site = Site(tmp_path_factory.mktemp("haproxy"))
    try:
        yield site
    finally:
        site.stop()


@pytest.mark.parametrize("version", [1, 2])
def test_the_clients_own_address_is_in_the_trace_and_tls_is_the_nodes(site, version):
    token = f"version-{version}"
    with smtplib.SMTP("localhost", site.ports[f"smtp_{version}"], timeout=20, source_address=(CLIENT, 0)) as client:
        client.starttls(context=trusting(site.certificate))
        client.sendmail("s@elsewhere.test", [USER], f"Subject: {token}\r\n\r\nx\r\n")

    with site.imap(f"imap_{version}") as session:
        session.login(USER, PASSWORD)
        session.select()

        def look() -> bytes | None:
            session.noop()
            found = session.search(None, "SUBJECT", token)[1][0].split()
            return session.fetch(found[0], "(BODY[HEADER])")[1][0][1] if found else None

        header = eventually(look)
    trace = header.partition(b"Received:")[2].partition(b"\r\nSubject")[0]
    assert f"[{CLIENT}]".encode() in trace
    assert b"with ESMTPS" in trace


def test_tls_that_the_proxy_has_ended_makes_no_password_safe(site):
    with site.imap("imap_ended") as session:
        assert "LOGINDISABLED" in session.capabilities
        with pytest.raises(imaplib.IMAP4.error):
            session.login(USER, PASSWORD)


def test_its_checks_of_health_are_answered(site):
    eventually(lambda: "smtp-2/node succeeded, reason: Layer7 check passed" in site.said())
    assert "is turned away" not in site.node.log
