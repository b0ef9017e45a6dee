"""What ends a message, and what is inside of it: no two readings, neither when mail comes in nor when it goes on."""

from __future__ import annotations

import itertools
import socket
import threading

import pytest

from ..processes import NodeProcess

BARE = [
    b"".join(ends)
    for ends in itertools.product((b"\r", b"\n", b"\r\n"), (b".",), (b"\r", b"\n", b"\r\n"))
    if b"".join(ends) != b"\r\n.\r\n"
] + [b"\r\n\n.\n", b"\n\r.\r\n", b"\r\r\n.\n", b"\r\n.\r\r\n", b"\n.\n\r\n", b"\r.\r\r\n", b"\r\n.\x00\r\n\n"]


@pytest.mark.parametrize("service", ["smtp", "lmtp"])
def test_no_mixture_of_cr_and_lf_around_a_dot_smuggles_a_message(node, service):
    evil = b"MAIL FROM:<evil@c.test>\r\nRCPT TO:<joe@example.test>\r\nDATA\r\nSubject: smuggled\r\n\r\nx"
    for end in BARE:
        with node.in_transaction(service) as peer:
            assert peer.ask(b"DATA").startswith(b"354")
            peer.send(b"Subject: bare\r\n\r\nfirst" + end + evil + b"\r\n.\r\nNOOP\r\nQUIT\r\n")
            answers = peer.rest().splitlines()
            assert [answer[:9] for answer in answers] == [b"550 5.6.0", b"250 2.0.0", b"221 2.0.0"], (end, answers)


def test_a_dot_on_a_line_of_its_own_ends_the_message_and_what_follows_is_a_command(node):
    with node.in_transaction() as peer:
        assert peer.ask(b"DATA").startswith(b"354")
        peer.send(b"Subject: whole\r\n\r\n..\r\n.\r\n.\r\nNOOP\r\nQUIT\r\n")
        assert [line[:3] for line in peer.rest().splitlines()] == [b"250", b"500", b"250", b"221"]


class Target:
    """An SMTP server for one connection after the other, which keeps the octets that came between 354 and its 250."""

    def __init__(self) -> None:
        self.contents: list[bytes] = []
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def close(self) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listening.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            with connection, connection.makefile("rb") as lines:
                connection.sendall(b"220 target.test\r\n")
                self._converse(connection, lines)

    def _converse(self, connection, lines) -> None:
        while line := lines.readline():
            if line.upper().startswith(b"DATA"):
                connection.sendall(b"354 go on\r\n")
                content = b""
                while not content.endswith(b"\r\n.\r\n"):
                    content += lines.read(1)
                self.contents.append(content)
            connection.sendall(b"221 bye\r\n" if line.upper().startswith(b"QUIT") else b"250 ok\r\n")


@pytest.fixture(scope="module")
def relaying(tmp_path_factory):
    """A node that mends bare CR and LF instead of refusing them, and the server that all its mail goes to."""
    target = Target()
    node = NodeProcess(
        tmp_path_factory.mktemp("relaying"),
        f"""
hostname = "mx.example.test"
state_dir = "state"
[[listen]]
service = "submission"
endpoint = "tcp:0:interface=127.0.0.1"
tls = "none"
auth = "off"
[store]
kind = "memory"
[smtp]
bare_newlines = "normalise"
[relay]
smarthost = "127.0.0.1:{target.port}"
smarthost_tls = "none"
""",
    )
    node.start()
    try:
        yield node, target
    finally:
        node.stop()
        target.close()
