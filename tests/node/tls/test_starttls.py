"""A connection on which TLS began late, on a real socket: it ends as any other, whoever ends it."""

import socket

import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.threads import deferToThread

from twisted_mail_node.testing.node import RunningNode


@pytest.mark.parametrize("logs_out", [True, False])
@pytest_twisted.ensureDeferred
async def test_it_ends_as_any_other(tmp_path, logs_out):
    running = await RunningNode.start(reactor, tmp_path)

    def talk():
        with socket.create_connection(("127.0.0.1", running.port("imap")), 20) as plain:
            assert plain.recv(1000).startswith(b"* OK")
            plain.sendall(b"a STARTTLS\r\n")
            assert plain.recv(1000).startswith(b"a OK")
            with running.trust.wrap_socket(plain, server_hostname="localhost") as client:
                client.sendall(b"b LOGOUT\r\n" if logs_out else b"b NOOP\r\n")
                assert client.recv(1000).startswith((b"* BYE", b"b OK"))

    await deferToThread(talk)
    await running.stop()
