"""Failed logins behind a proxy: its clients are slowed, and it never is."""

from __future__ import annotations

import socket

import pytest_twisted
from twisted.internet import reactor
from twisted.internet.threads import deferToThread

from twisted_mail_node.auth.throttle import FREE_HOST_FAILURES
from twisted_mail_node.testing.node import RunningNode

CLIENT = b"PROXY TCP4 192.0.2.9 198.51.100.1 1234 110\r\n"
ITSELF = b"PROXY UNKNOWN\r\n"


@pytest_twisted.ensureDeferred
async def test_clients_of_a_proxy_are_slowed_and_the_proxy_is_not(tmp_path):
    settings = {
        "listen": [{"service": "pop3", "endpoint": "haproxy:tcp:0:interface=127.0.0.1", "tls": "none"}],
        "auth": {"plaintext": "always", "hash_memory": "8 KiB", "hash_passes": 1},
        "limits": {"trusted_networks": []},
    }
    running = await RunningNode.start(reactor, tmp_path, settings)
    await running.add_user("alice@example.test")

    def fail(header):
        with socket.create_connection(("127.0.0.1", running.port("pop3", "none")), 20) as client:
            client.sendall(header + b"USER alice@example.test\r\nPASS wrong\r\n")
            lines = client.makefile("rb")
            assert [lines.readline()[:4] for _ in range(3)] == [b"+OK ", b"+OK ", b"-ERR"]

    for _ in range(FREE_HOST_FAILURES + 1):
        await deferToThread(fail, ITSELF)
    assert await running.node.operations.perform("guessing.list", {}) == []
    for _ in range(FREE_HOST_FAILURES):
        await deferToThread(fail, CLIENT)
    (slowed,) = await running.node.operations.perform("guessing.list", {})
    assert slowed["address"] == "192.0.2.9"
    assert await running.node.operations.perform("guessing.release", {"name": "192.0.2.9"}) == {"name": "192.0.2.9"}
    assert await running.node.operations.perform("guessing.list", {}) == []
    await running.stop()
