"""What ends a message, and what is inside of it: no two readings, neither when mail comes in nor when it goes on."""

from __future__ import annotations

import base64
import itertools
import re
import socketserver
import threading

import pytest

from ..processes import NodeProcess, eventually
from .node import PASSWORD, USER
from .peers import Peer

BARE = [
    b"".join(ends)
    for ends in itertools.product((b"\r", b"\n", b"\r\n"), (b".",), (b"\r", b"\n", b"\r\n"))
    if b"".join(ends) != b"\r\n.\r\n"
] + [b"\r\n\n.\n", b"\n\r.\r\n", b"\r\r\n.\n", b"\r\n.\r\r\n", b"\n.\n\r\n", b"\r.\r\r\n", b"\r\n.\x00\r\n\n"]


EVIL = b"MAIL FROM:<evil@c.test>\r\nRCPT TO:<joe@example.test>\r\nDATA\r\nSubject: smuggled\r\n\r\nx"


@pytest.mark.parametrize("service", ["smtp", "lmtp"])
def test_no_mixture_of_cr_and_lf_around_a_dot_smuggles_a_message(node, service):
    for end in BARE:
        with node.in_transaction(service) as peer:
            assert peer.ask(b"DATA").startswith(b"354")
            peer.send(b"Subject: bare\r\n\r\nfirst" + end + EVIL + b"\r\n.\r\nNOOP\r\nQUIT\r\n")
            answers = peer.rest().splitlines()
            assert [answer[:9] for answer in answers] == [b"550 5.6.0", b"250 2.0.0", b"221 2.0.0"], (end, answers)


@pytest.mark.parametrize("service", ["smtp", "lmtp"])
def test_in_a_chunk_nothing_ends_a_message_but_its_size(node, service):
    for end in [*BARE, b"\r\n.\r\n"]:
        content = b"Subject: chunk\r\n\r\nfirst" + end + EVIL + b"\r\n"
        with node.in_transaction(service) as peer:
            peer.send(b"BDAT %d LAST\r\n%sNOOP\r\nQUIT\r\n" % (len(content), content))
            answers = [answer[:9] for answer in peer.rest().splitlines()]
            taken = b"550 5.6.0" if end in BARE else b"250 2.0.0"
            assert answers == [taken, b"250 2.0.0", b"221 2.0.0"], (end, answers)


def test_a_dot_on_a_line_of_its_own_ends_the_message_and_what_follows_is_a_command(node):
    with node.in_transaction() as peer:
        assert peer.ask(b"DATA").startswith(b"354")
        peer.send(b"Subject: whole\r\n\r\n..\r\n.\r\n.\r\nNOOP\r\nQUIT\r\n")
        assert [line[:3] for line in peer.rest().splitlines()] == [b"250", b"500", b"250", b"221"]


class Session(socketserver.StreamRequestHandler):
    """Takes all that comes, by RFC 5321 to the letter: lines end with CRLF alone."""

    server: Target

    def handle(self) -> None:
        self.wfile.write(b"220 target.test\r\n")
        while line := self.rfile.readline():
            if line.startswith(b"DATA"):
                self.wfile.write(b"354 go on\r\n")
                self.server.contents.append(self._content())
            self.wfile.write(b"221 bye\r\n" if line.startswith(b"QUIT") else b"250 ok\r\n")

    def _content(self) -> bytes:
        pieces = [b"", b""]
        while not (pieces[-1] == b".\r\n" and pieces[-2].endswith(b"\r\n")):
            pieces.append(self.rfile.readline())
            assert pieces[-1], "it left in the midst of a message"
        return b"".join(pieces)


class Target(socketserver.ThreadingTCPServer):
    """Where the node sends to; keeps the octets of each message as they came, with the end."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Session)
        self.contents: list[bytes] = []
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05})
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()


MENDING = """
hostname = "mx.example.test"
state_dir = "state"
[[domain]]
name = "example.test"
[[listen]]
service = "submission"
endpoint = "tcp:0:interface=127.0.0.1"
tls = "none"
[relay]
smarthost = "127.0.0.1:{port}"
smarthost_tls = "none"
"""


@pytest.fixture(scope="module")
def relaying(tmp_path_factory):
    """A node that mends bare CR and LF of what is submitted, and the server that all its mail goes to."""
    with Target() as target:
        config = MENDING.format(port=target.server_address[1])
        node = NodeProcess(tmp_path_factory.mktemp("relaying"), config)
        node.add_user(USER, PASSWORD)
        node.start()
        try:
            yield node, target
        finally:
            node.stop()


NEWLINE, BARE_NEWLINE = re.compile(rb"\r\n|\r|\n"), re.compile(rb"\r(?!\n)|(?<!\r)\n")


def lines_sent(octets: bytes) -> list[bytes]:
    """The lines of a message from its subject on, as who receives it reads them."""
    lines = [line.removeprefix(b".") for line in octets.removesuffix(b"\r\n.\r\n").split(b"\r\n")]
    return lines[next(number for number, line in enumerate(lines) if line.startswith(b"Subject:")) :]


def test_what_is_sent_on_has_one_reading(relaying):
    node, target = relaying
    contents = [b"Subject: bare\r\n\r\nfirst" + end + EVIL + b"\r\n" for end in BARE if b"\0" not in end]
    # A dot at whatever place of the pieces in which a message is read and written.
    contents += [
        b"Subject: cut\r\n\r\n" + b"y" * (64 * 1024 - 60 + shift) + b"\n.\n" + EVIL + b"\r\n" for shift in range(60)
    ]
    with Peer(node.listener("submission", "none"), b"220") as peer:
        peer.send(b"EHLO c.test\r\n")
        peer.reply()
        login = base64.b64encode(f"\0{USER}\0{PASSWORD}".encode())
        assert peer.ask(b"AUTH PLAIN " + login).startswith(b"235")
        for content in contents:
            peer.send(b"MAIL FROM:<joe@example.test>\r\nRCPT TO:<x@far.test>\r\nDATA\r\n")
            peer.send(content + b".\r\n")
            assert [peer.line()[:3] for _ in range(4)] == [b"250", b"250", b"354", b"250"]
        content = b"Subject: chunk\r\n\r\nfirst\r\n.\r\n" + EVIL + b"\r\n"
        peer.send(b"MAIL FROM:<joe@example.test>\r\nRCPT TO:<x@far.test>\r\nBDAT %d LAST\r\n" % len(content) + content)
        assert [peer.line()[:3] for _ in range(3)] == [b"250"] * 3
    eventually(lambda: len(target.contents) > len(contents))
    # RFC 5321 §4.5.2: a dot that begins a line of DATA is not part of it.
    meant = [*(sent.replace(b"\r\n.", b"\r\n") for sent in contents), content]
    for octets in target.contents:
        assert BARE_NEWLINE.search(octets) is None
    assert sorted(map(lines_sent, target.contents)) == sorted(NEWLINE.split(content[:-2]) for content in meant)
