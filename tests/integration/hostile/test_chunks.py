"""BDAT that lies about its size: negative, huge, too small, without its content, over and over."""

from __future__ import annotations

import socket

import pytest

from .node import GIB, MAX_MESSAGE, MIB

SERVICES = ["smtp", "lmtp"]


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize(
    "argument",
    [b"", b"x", b"-1", b"-1 LAST", b"+5 LAST", b"0x5 LAST", b"5.0", b"1e3", b"5 FIRST", b"5 LAST LAST", b"9" * 400],
    ids=lambda argument: argument[:12].decode() or "nothing",
)
def test_a_size_that_is_none_ends_the_session_for_what_follows_may_be_content(node, service, argument):
    with node.in_transaction(service) as peer:
        peer.send(b"BDAT " + argument + b"\r\nRCPT TO:<joe@example.test>\r\nBDAT 0 LAST\r\n")
        [told] = peer.rest().splitlines()
        assert told.startswith(b"501 5.5.4"), told


def test_a_chunk_over_the_largest_size_is_thrown_away_whole(node):
    content = b"y" * MAX_MESSAGE + b"\r\nNOOP\r\n"
    with node.in_transaction() as peer:
        peer.send(b"BDAT %d LAST\r\n%sNOOP\r\n" % (len(content), content))
        assert peer.line().startswith(b"552 5.3.4")
        assert peer.line().startswith(b"250 2.0.0 ok")


@pytest.mark.parametrize("size", [4 * GIB, 2**63 - 1])
def test_a_chunk_of_a_size_that_cannot_be_is_not_kept_while_it_comes(node, size):
    with node.in_transaction() as peer:
        peer.send(b"BDAT %d LAST\r\nSubject: huge\r\n\r\n" % size)
        for _ in range(64):
            peer.send(b"y" * MIB)
        node.serves()
        peer.socket.shutdown(socket.SHUT_WR)
        assert b"250 " not in peer.rest()


def test_chunks_that_are_too_large_together_are_refused(node):
    with node.in_transaction() as peer:
        half = b"z" * (MAX_MESSAGE // 2 - 2) + b"\r\n"
        answers = []
        for _ in range(8):
            peer.send(b"BDAT %d\r\n%s" % (len(half), half))
            answers.append(peer.line()[:3])
        peer.send(b"BDAT 0 LAST\r\nNOOP\r\n")
        assert b"552" in answers[2:]
        assert b"250" not in answers[answers.index(b"552") :]
        assert not peer.line().startswith(b"250")
        assert peer.line().startswith(b"250")


def test_what_a_chunk_lacks_is_taken_from_what_follows(node):
    content = b"Subject: short\r\n\r\nQUIT\r\n"
    with node.in_transaction() as peer:
        peer.send(b"BDAT %d LAST\r\nSubject: short\r\n\r\n" % len(content))
        peer.send(b"QUIT\r\nNOOP\r\n")
        assert peer.line().startswith(b"250 2.0.0")
        assert peer.line().startswith(b"250 2.0.0 ok")


def test_what_a_chunk_has_too_much_is_a_command_that_is_none(node):
    with node.in_transaction() as peer:
        peer.send(b"BDAT 18 LAST\r\nSubject: long\r\n\r\nhello\r\nNOOP\r\n")
        assert [peer.line()[:3] for _ in range(3)] == [b"250", b"500", b"250"]


def test_a_chunk_of_nothing_may_be_the_last_and_not_the_only_one(node):
    with node.in_transaction() as peer:
        peer.send(b"BDAT 17\r\nSubject: none\r\n\r\nBDAT 0 LAST\r\n")
        assert [peer.line()[:3] for _ in range(2)] == [b"250", b"250"]


def test_fifty_thousand_chunks_of_one_octet_are_bounded(node):
    with node.in_transaction() as peer:
        peer.pour(b"BDAT 1\r\ny" * 50_000 + b"BDAT 0 LAST\r\nQUIT\r\n")
        told = peer.rest().splitlines()
        assert told[-1].startswith((b"221", b"421"))
        assert {line[:3] for line in told[:-1]} <= {b"250", b"421", b"452", b"503", b"552", b"554"}


def test_chunk_and_data_do_not_mix(node):
    with node.in_transaction() as peer:
        peer.send(
            b"BDAT 17\r\nSubject: none\r\n\r\nDATA\r\nMAIL FROM:<x@c.test>\r\nRSET\r\nBDAT 5 LAST\r\nhelloNOOP\r\n"
        )
        assert [peer.line()[:3] for _ in range(6)] == [b"250", b"503", b"503", b"250", b"503", b"250"]


def test_a_chunk_without_recipients_is_thrown_away_whole(node):
    with node.peer("smtp") as peer:
        peer.send(b"EHLO c.test\r\n")
        peer.reply()
        evil = b"MAIL FROM:<evil@c.test>\r\nRCPT TO:<joe@example.test>\r\n"
        peer.send(b"MAIL FROM:<s@c.test>\r\nRCPT TO:<nobody@example.test>\r\n")
        peer.send(b"BDAT %d LAST\r\n%sNOOP\r\n" % (len(evil), evil))
        assert [peer.line()[:3] for _ in range(4)] in (
            [b"250", b"550", b"503", b"250"],
            [b"250", b"550", b"554", b"250"],
        )


def test_a_chunk_that_never_comes_keeps_nobody_waiting(node):
    before = node.open_files()
    peers = [node.in_transaction() for _ in range(20)]
    for peer in peers:
        peer.send(b"BDAT %d LAST\r\n" % MAX_MESSAGE)
    node.serves()
    assert node.open_files() < before + 60
    for peer in peers:
        peer.close()
