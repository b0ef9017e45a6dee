"""Login by what is no login."""

from __future__ import annotations

import base64
import itertools
import re
import socket
from contextlib import ExitStack

import pytest

from ..processes import eventually
from .node import MIB, PLAIN, Node
from .peers import Peer

GARBAGE = [b"====", b"\xff\xfe\x00", b"A" * 12_000, b"A" * 40_000, b"AGpvZQ", b"AAAA", b"*", b"", b"=", b"AGEAYgBjAGQ="]


@pytest.mark.parametrize(("service", "tls"), [entry for entry in PLAIN if entry[0] in ("submission", "pop3", "imap")])
def test_garbage_in_auth_is_refused(node, service, tls):
    known = {
        "submission": rb"(334|50[0-4]|535|421) ",
        "pop3": rb"(\+ |-ERR)",
        "imap": rb"(\+ |. (NO|BAD)|\* (BAD|BYE))",
    }
    command = {"submission": b"AUTH", "pop3": b"AUTH", "imap": b"a AUTHENTICATE"}[service]
    for mechanism, garbage in itertools.product((b"PLAIN", b"LOGIN", b"X" * 200, b"\x00"), GARBAGE):
        for lines in ([b" ".join((command, mechanism, garbage))], [command + b" " + mechanism, garbage, garbage]):
            with node.peer(service) as peer:
                if service == "submission":
                    peer.send(b"EHLO c.test\r\n")
                    peer.reply()
                peer.send(b"\r\n".join(lines) + b"\r\nQUIT\r\nz LOGOUT\r\n")
                peer.socket.shutdown(socket.SHUT_WR)
                for line in peer.rest().splitlines()[:1]:
                    assert re.match(known[service], line), (lines, line)


def hello(node: Node, service: str) -> Peer:
    peer = node.peer(service)
    if service == "submission":
        peer.send(b"EHLO c.test\r\n")
        peer.reply()
    return peer


WAYS = {"submission": b"AUTH PLAIN", "pop3": b"AUTH PLAIN", "imap": b"a AUTHENTICATE PLAIN"}
WRONG = base64.b64encode(b"\0joe@example.test\0wrong")


@pytest.mark.parametrize("service", WAYS)
def test_a_response_without_end_ends_the_session(node, service):
    with hello(node, service) as peer:
        assert peer.ask(WAYS[service]).startswith((b"334", b"+"))
        peer.pour(b"A" * (64 * MIB))
        told = peer.rest()
        assert len(told) < 1000
        assert re.search({"submission": rb"^421 ", "pop3": rb"^-ERR", "imap": rb"^\* BYE"}[service], told, re.M), told


@pytest.mark.parametrize("service", WAYS)
@pytest.mark.parametrize("answer", [b"*", b"====", WRONG])
def test_exchanges_without_end_are_cut_off(node, service, answer):
    with hello(node, service) as peer:
        peer.pour((WAYS[service] + b"\r\n" + answer + b"\r\n") * 100_000)
        told = peer.rest()
        assert told.count(b"\n") < 200
        assert b"235 " not in told


def test_logins_that_fail_on_many_connections_at_once_keep_nobody_waiting(node):
    with ExitStack() as stack:
        peers = [stack.enter_context(hello(node, "submission")) for _ in range(100)]
        for peer in peers:
            peer.send(b"AUTH PLAIN " + WRONG + b"\r\n")
        with node.imap():
            pass
        node.serves()
        answers = [peer.line() for peer in peers]
    assert {answer[:3] for answer in answers} <= {b"535", b"454", b"421"}


@pytest.mark.parametrize("service", WAYS)
def test_who_hangs_up_in_the_midst_of_an_exchange_leaves_nothing_behind(node, service):
    before = node.open_files()
    with ExitStack() as stack:
        for _ in range(50):
            peer = stack.enter_context(hello(node, service))
            assert peer.ask(WAYS[service]).startswith((b"334", b"+"))
            peer.send(WRONG[:10])
            peer.socket.shutdown(socket.SHUT_WR)
            assert peer.rest() == b""
    eventually(lambda: node.open_files() < before + 20)
