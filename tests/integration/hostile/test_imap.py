"""IMAP's own: literals that are too big, nesting that is too deep, what is never closed."""

from __future__ import annotations

import pytest

from .node import GIB, MAX_MESSAGE, MIB


def test_a_literal_of_four_gib_is_refused_before_it_comes(node):
    with node.imap() as peer:
        assert peer.ask(b"b APPEND INBOX {%d}" % (4 * GIB)).startswith(b"b NO [TOOBIG]")
        assert peer.ask(b"c SEARCH SUBJECT {%d}" % (4 * GIB)).startswith(b"c BAD")
        assert peer.ask(b"d CREATE {%s}" % (b"9" * 60)).startswith(b"d BAD")
        assert peer.ask(b"e NOOP").startswith(b"e OK")
    with node.peer("imap") as peer:
        assert peer.ask(b"a LOGIN {%d}" % (4 * GIB)).startswith(b"a BAD")
        assert peer.ask(b"b NOOP").startswith(b"b OK")


@pytest.mark.parametrize("command", [b"APPEND INBOX", b"CREATE", b"LOGIN"])
def test_a_literal_of_four_gib_that_comes_unasked_ends_the_session(node, command):
    with node.peer("imap") if command == b"LOGIN" else node.imap() as peer:
        peer.send(b"b %s {%d+}\r\n" % (command, 4 * GIB))
        peer.pour(b"x" * (16 * MIB))
        told = peer.rest()
        assert told.startswith((b"b NO", b"b BAD"))
        assert b"* BYE" in told


def test_a_literal_that_is_too_big_and_comes_unasked_is_thrown_away(node):
    with node.imap() as peer:
        peer.send(b"b APPEND INBOX {%d+}\r\n" % (MAX_MESSAGE + 1))
        peer.send(b"x" * (MAX_MESSAGE + 1) + b"\r\n")
        assert peer.line().startswith(b"b NO [TOOBIG]")
        assert peer.ask(b"c NOOP").startswith(b"c OK")


@pytest.mark.parametrize(
    "command",
    [
        b"SEARCH " + b"(" * 20_000,
        b"SEARCH " + b"(" * 20_000 + b"ALL" + b")" * 20_000,
        b"SEARCH " + b"NOT " * 15_000 + b"ALL",
        b"FETCH 1 " + b"(" * 60_000,
        b"FETCH 1 BODY[" + b"1." * 30_000 + b"1]",
        b"STORE 1 FLAGS " + b"(" * 60_000,
        b"LIST (" + b"(" * 60_000,
        b"STATUS INBOX (" + b"(" * 60_000,
        b"APPEND INBOX " + b"(" * 60_000 + b" {5}",
        b"ID " + b"(" * 60_000,
    ],
    ids=lambda command: command[:16].decode(),
)
def test_what_is_nested_too_deeply_is_refused(node, command):
    with node.imap() as peer:
        assert peer.ask(b"b SELECT INBOX")
        peer.send(b"c " + command + b"\r\n")
        while not (line := peer.tagged()).startswith(b"c "):
            pass
        assert line.startswith((b"c BAD", b"c NO")), line
        assert peer.ask(b"d NOOP").startswith(b"d OK")


@pytest.mark.parametrize("argument", [b"(\\Seen", b"(SUBJECT {5+}\r\nhello FROM {0+}\r\n", b"1,", b'"'])
def test_an_argument_that_is_never_closed_is_given_up(node, argument):
    with node.imap() as peer:
        peer.send(b"b STORE 1 FLAGS ")
        peer.pour((argument + b" ") * (8 * MIB // len(argument)) + b"\r\n")
        assert b" BAD" in peer.line()
