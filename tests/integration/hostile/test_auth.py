"""Login by what is no login."""

from __future__ import annotations

import base64
import itertools
import re
import socket
from contextlib import ExitStack

import pytest

from ..processes import eventually
from .node import MIB, PLAIN, USER, Node
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


def begun(peer: Peer, name: bytes = USER.encode()) -> dict[bytes, bytes]:
    """Begin SCRAM-SHA-256 at submission; gives the attributes of the challenge (RFC 5802 §5.1)."""
    first = base64.b64encode(b"n,,n=%s,r=fyko+d2lbbFgONRv9qkxdawL" % name)
    challenge = peer.ask(b"AUTH SCRAM-SHA-256 " + first)
    assert challenge.startswith(b"334 "), challenge
    return dict(part.split(b"=", 1) for part in base64.b64decode(challenge[4:]).split(b","))


def final(nonce: bytes, binding: bytes = b"biws", proof: bytes = base64.b64encode(b"p" * 32)) -> bytes:
    return base64.b64encode(b"c=%s,r=%s,p=%s" % (binding, nonce, proof))


@pytest.mark.parametrize(
    "answer",
    [
        lambda nonce: final(nonce[:24]),
        lambda nonce: final(nonce[24:]),
        lambda nonce: final(nonce + b"x"),
        lambda nonce: final(nonce[:-1] + b"~"),
        lambda nonce: final(b""),
        lambda nonce: final(b"r" * 5_000),
        lambda nonce: final(nonce),
        lambda nonce: final(nonce, proof=b""),
        lambda nonce: final(nonce, proof=b"=" * 44),
        lambda nonce: final(nonce, binding=b"eSws"),
        lambda nonce: final(nonce, binding=b"A" * 4_000),
        lambda nonce: base64.b64encode(b"c=biws,r=" + nonce),
        lambda nonce: base64.b64encode(b"c=biws,m=x,r=%s,p=AAAA" % nonce),
        lambda nonce: base64.b64encode(b"\xff\x00,,,=" + nonce),
    ],
)
def test_a_wrong_nonce_binding_or_proof_is_a_failed_login(node, answer):
    with hello(node, "submission") as peer:
        nonce = begun(peer)[b"r"]
        assert peer.ask(answer(nonce)).startswith((b"535 5.7.8", b"501 5.5.2"))
        # And what was said once does not serve again.
        assert begun(peer)[b"r"] != nonce
        assert peer.ask(final(nonce)).startswith((b"535 5.7.8", b"501 5.5.2"))
        assert peer.ask(b"NOOP").startswith(b"250")


def test_scram_tells_nobody_who_is_there(node):
    challenges = []
    for _ in range(2):
        with hello(node, "submission") as peer:
            challenges.append(begun(peer, b"nobody@example.test"))
            peer.ask(b"*")
    [one, other] = challenges
    assert (one[b"s"], one[b"i"]) == (other[b"s"], other[b"i"])
    with hello(node, "submission") as peer:
        known = begun(peer)
    assert known[b"i"] == one[b"i"]
    assert len(known[b"s"]) == len(one[b"s"])
    assert known[b"s"] != one[b"s"]
