"""Messages that are too large, endless, slow, or all header; and too many recipients."""

from __future__ import annotations

import time
from contextlib import ExitStack

import pytest

from .node import MAX_MESSAGE, MIB


def test_a_message_of_the_largest_size_is_taken_and_one_octet_more_is_not(node):
    exact = b"Subject: size\r\n\r\n"
    exact += (b"y" * 62 + b"\r\n") * ((MAX_MESSAGE - len(exact)) // 64)
    exact += b"z" * (MAX_MESSAGE - len(exact) - 2)
    assert len(exact) + 2 == MAX_MESSAGE
    assert node.deliver(exact).startswith(b"250 2.0.0")
    assert node.deliver(exact + b"z").startswith(b"552 5.3.4")
    with node.peer("smtp") as peer:
        peer.send(b"EHLO c.test\r\n")
        peer.reply()
        assert peer.ask(b"MAIL FROM:<s@c.test> SIZE=%d" % (MAX_MESSAGE + 1)).startswith(b"552 5.3.4")
        assert peer.ask(b"MAIL FROM:<s@c.test> SIZE=%d" % MAX_MESSAGE).startswith(b"250")


def test_a_message_without_end_is_read_without_being_kept(node):
    with node.in_transaction() as peer:
        assert peer.ask(b"DATA").startswith(b"354")
        peer.send(b"Subject: endless\r\n\r\n")
        for _ in range(200):
            peer.send(b"y" * (MIB // 2 - 2) + b"\r\n")
        peer.send(b".\r\n")
        assert peer.line().startswith(b"552 5.3.4")


@pytest.mark.parametrize(
    "header",
    [
        b"X: y\r\n" * 80_000,
        b"X: y\r\n" * 1_000_000,
        b"Subject: " + b"y" * (50 * MIB) + b"\r\n",
        b"Subject: y\r\n" + b" y\r\n" * 1_000_000,
        b"y" * 700_000 + b": z\r\n",
    ],
    ids=["fields", "a million fields", "50 MB in one field", "a million folds", "a long name"],
)
def test_a_header_without_end_is_refused(node, header):
    with node.in_transaction() as peer:
        assert peer.ask(b"DATA").startswith(b"354")
        peer.send(header + b"\r\nbody\r\n.\r\n")
        assert peer.line().startswith((b"554 5.6.0", b"552 5.3.4"))
        assert peer.ask(b"NOOP").startswith(b"250")


def test_a_thousand_hops_are_a_loop(node):
    hop = b"Received: from a.test by b.test with SMTP; Thu, 1 Jan 2026 00:00:00 +0000\r\n"
    assert node.deliver(hop * 1000 + b"Subject: far\r\n\r\nx").startswith(b"554 5.4.6")


def nested(depth: int) -> bytes:
    """Multiparts in one another; none is ever closed."""
    parts = [b'Content-Type: multipart/mixed; boundary="%d"\r\n\r\n--%d\r\n' % (level, level) for level in range(depth)]
    return b"MIME-Version: 1.0\r\n" + b"".join(parts) + b"\r\nx"


@pytest.mark.parametrize(
    "content",
    [
        nested(10_000),
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n\r\nx\r\n" * 70_000,
        b"Content-Type: message/rfc822\r\n\r\n" * 20_000,
        b"To: " + b"a@b.test,\r\n " * 5_000 + b"a@b.test\r\n\r\nx",
        b"To: " + b"(" * 30_000 + b" " + b'"' * 30_001 + b"\r\n\r\nx",
        b"Subject: " + b"=?utf-8?q?=C3=BC?=\r\n " * 3_000 + b"\r\n\r\nx",
        b"Content-Type: text/plain" + b"; x*0=y; x*1=z" * 3_000 + b"\r\n\r\nx",
    ],
    ids=["depth", "breadth", "messages", "addresses", "comments", "words", "parameters"],
)
def test_a_bomb_of_structure_is_taken_and_looked_into_in_bounded_time(node, content):
    assert node.deliver(content).startswith(b"250 2.0.0")
    with node.imap() as peer:
        peer.ask(b"b SELECT INBOX")
        peer.tagged()
        began = time.monotonic()
        for command, answers in (
            (b"FETCH * (ENVELOPE BODYSTRUCTURE)", b"c OK"),
            (b"FETCH * BODY.PEEK[" + b"1." * 500 + b"MIME]", (b"c OK", b"c NO", b"c BAD")),
            (b"SEARCH CHARSET UTF-8 OR TEXT none SUBJECT none", b"c OK"),
        ):
            peer.send(b"c " + command + b"\r\n")
            while not (line := peer.line()).startswith(b"c "):
                assert line
            assert line.startswith(answers), line
        assert time.monotonic() - began < 5
    with node.pop3() as peer:
        assert peer.ask(b"STAT").startswith(b"+OK")


def test_a_hundred_thousand_recipients_get_an_answer_each(node):
    count = 100_000
    with node.in_transaction() as peer:
        peer.pour(b"RCPT TO:<joe@example.test>\r\n" * count + b"RSET\r\nQUIT\r\n")
        answers = peer.rest().splitlines()
        assert len(answers) == count + 2
        assert {answer[:9] for answer in answers[:900]} == {b"250 2.1.5"}
        assert {answer[:9] for answer in answers[1000:-2]} == {b"452 4.5.3"}
        assert answers[-1].startswith(b"221")


def test_data_that_comes_octet_by_octet_keeps_nobody_waiting(node):
    with ExitStack() as stack:
        slow = [stack.enter_context(node.in_transaction()) for _ in range(20)]
        for peer in slow:
            assert peer.ask(b"DATA").startswith(b"354")
        for octet in b"Subject: slow\r\n\r\nx\r\n":
            for peer in slow:
                peer.send(bytes([octet]))
            assert node.peer("smtp").ask(b"NOOP").startswith(b"250")
        for peer in slow:
            peer.send(b".")
            peer.send(b"\r")
            peer.send(b"\n")
            assert peer.line().startswith(b"250 2.0.0")
