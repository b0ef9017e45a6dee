"""Who says to be somebody else, from an address that nobody trusts for that."""

from __future__ import annotations

import struct

import pytest

from .node import PLAIN, Node
from .peers import Peer

ELSEWHERE = b"198.51.100.7"
TEXT = b"PROXY TCP4 %s 203.0.113.1 1234 25\r\n" % ELSEWHERE
ADDRESSES = bytes([198, 51, 100, 7, 203, 0, 113, 1]) + struct.pack("!HH", 1234, 25)
BINARY = b"\r\n\r\n\x00\r\nQUIT\n\x21\x11" + struct.pack("!H", len(ADDRESSES)) + ADDRESSES


def received(node: Node, peer: Peer) -> bytes:
    """Deliver on this connection; gives the trace that the message got."""
    with peer:
        peer.send(b"EHLO c.test\r\n")
        peer.reply()
        assert peer.ask(b"MAIL FROM:<s@c.test>").startswith(b"250")
        assert peer.ask(b"RCPT TO:<joe@example.test>").startswith(b"250")
        assert peer.ask(b"DATA").startswith(b"354")
        peer.send(b"Subject: forged\r\n\r\nx\r\n.\r\n")
        assert peer.line().startswith(b"250")
    with node.imap() as reader:
        reader.ask(b"b SELECT INBOX")
        reader.tagged()
        reader.send(b"c FETCH * BODY.PEEK[HEADER.FIELDS (RECEIVED)]\r\n")
        while (line := reader.line()) != b"" and not line.startswith(b"Received:"):
            pass
        return line


@pytest.mark.parametrize("header", [TEXT, BINARY])
def test_a_proxys_header_from_an_address_that_is_not_trusted_is_not_answered(node, header):
    with node.peer("smtp", "none", greeted=False) as peer:
        peer.send(header + b"EHLO c.test\r\nQUIT\r\n")
        assert peer.rest() == b""


@pytest.mark.parametrize(("service", "tls"), PLAIN)
@pytest.mark.parametrize("header", [TEXT, BINARY])
def test_a_proxys_header_where_none_is_expected_is_a_command_that_is_none(node, service, tls, header):
    with node.peer(service, tls) as peer:
        peer.send(header + b"\r\nz NOOP\r\n")
        refusal = {"pop3": b"-ERR", "imap": (b"PROXY BAD", b"* BAD")}.get(service, b"5")
        assert peer.line().startswith(refusal)


def test_a_proxys_header_moves_nobody(node):
    peer = node.peer("smtp")
    assert peer.ask(TEXT.strip()).startswith(b"500 5.5.")
    assert received(node, peer).startswith(b"Received: from c.test ([127.0.0.1])")


@pytest.mark.parametrize("service", ["smtp", "submission", "lmtp"])
@pytest.mark.parametrize("command", [b"XCLIENT ADDR=%s NAME=trusted.test" % ELSEWHERE, b"XFORWARD ADDR=%s" % ELSEWHERE])
def test_xclient_and_xforward_are_neither_told_nor_heard(node, service, command):
    with node.peer(service) as peer:
        peer.send((b"LHLO" if service == "lmtp" else b"EHLO") + b" c.test\r\n")
        told = [peer.line()]
        while told[-1][3:4] == b"-":
            told.append(peer.line())
        assert not any(line[4:].startswith((b"XCLIENT", b"XFORWARD")) for line in told)
        assert peer.ask(command).startswith((b"50", b"550"))
        # The session goes on: no new greeting.
        assert peer.ask(b"NOOP").startswith(b"250")


def test_xclient_moves_nobody(node):
    peer = node.peer("smtp")
    assert peer.ask(b"XCLIENT ADDR=%s HELO=trusted.test" % ELSEWHERE).startswith(b"5")
    assert received(node, peer).startswith(b"Received: from c.test ([127.0.0.1])")
