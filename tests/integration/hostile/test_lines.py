"""Lines and commands that are none: endless, too long, of any octets, out of order, behind STARTTLS."""

from __future__ import annotations

import re

import pytest

from .node import IMPLICIT, MIB, PLAIN, SMTP_LIKE


@pytest.mark.parametrize(("service", "tls"), PLAIN)
def test_a_line_without_end_ends_the_session(node, service, tls):
    with node.peer(service) as peer:
        peer.pour(b"x" * (64 * MIB))
        told = peer.rest()
        assert told.startswith({"pop3": b"-ERR", "imap": b"* BAD"}.get(service, b"421 4.5.2")), told
        assert len(told) < 1000


@pytest.mark.parametrize("service", ["pop3", "imap"])
def test_a_line_without_end_ends_a_session_that_is_logged_in(node, service):
    with node.pop3() if service == "pop3" else node.imap() as peer:
        peer.pour(b"x" * (64 * MIB))
        assert len(peer.rest()) < 1000


@pytest.mark.parametrize(("service", "tls"), PLAIN)
def test_a_line_one_octet_too_long_is_refused_and_the_next_is_heard(node, service, tls):
    with node.peer(service) as peer:
        if service == "imap":
            assert peer.ask(b"a " + b"X" * 70_000).startswith(b"* BAD")
            assert peer.ask(b"b NOOP").startswith(b"b OK")
        elif service == "pop3":
            assert peer.ask(b"USER " + b"x" * 20_000).startswith(b"-ERR")
            assert peer.ask(b"USER joe").startswith(b"+OK")
        else:
            assert peer.ask(b"NOOP " + b"x" * 506).startswith(b"500 5.5.")
            assert peer.ask(b"NOOP").startswith(b"250")


@pytest.mark.parametrize(("service", "tls"), PLAIN)
def test_nul_and_every_other_octet_in_commands_get_refusals_only(node, service, tls):
    for start in range(0, 256, 8):
        with node.peer(service) as peer:
            octets = [bytes([octet]) for octet in range(start, start + 8)]
            peer.send(b"".join(b"a NO\x00OP %s\r\n%s\r\n" % (octet, octet * 3) for octet in octets))
            peer.send(b"z LOGOUT\r\nQUIT\r\n")
            for line in peer.rest().splitlines():
                known = {"pop3": rb"[+-](OK|ERR)", "imap": rb"[!-~]+ (BAD|BYE|OK)"}.get(service, rb"[2-5]\d\d[ -]")
                assert re.match(known, line), line


@pytest.mark.parametrize(("service", "tls"), PLAIN)
def test_commands_in_the_wrong_order_are_refused(node, service, tls):
    with node.peer(service) as peer:
        if service == "imap":
            for number, command in enumerate([b"SELECT INBOX", b"FETCH 1 FLAGS", b"EXPUNGE", b"IDLE", b"UID COPY 1 x"]):
                assert peer.ask(b"%d %s" % (number, command)).startswith(b"%d BAD" % number)
        elif service == "pop3":
            for command in (b"PASS x", b"STAT", b"RETR 1", b"DELE 1", b"RSET", b"UIDL"):
                assert peer.ask(command).startswith(b"-ERR")
        else:
            for command in (b"DATA", b"RCPT TO:<joe@example.test>", b"MAIL FROM:<a@b.test>"):
                assert peer.ask(command).startswith((b"503 5.5.1", b"530 5.7.0")), command


@pytest.mark.parametrize("service", ["smtp", "submission", "pop3", "imap"])
def test_nothing_behind_starttls_in_one_packet_is_heard(node, service):
    behind = {
        "pop3": (b"STLS\r\n", b"USER joe\r\nCAPA\r\n", b"NOOP\r\n"),
        "imap": (b"a STARTTLS\r\n", b"b LOGIN joe secret\r\nc CAPABILITY\r\n", b"d NOOP\r\n"),
    }.get(service, (b"STARTTLS\r\n", b"EHLO evil.test\r\nMAIL FROM:<a@b.test>\r\n", b"MAIL FROM:<a@b.test>\r\n"))
    with node.peer(service) as peer:
        if service in SMTP_LIKE:
            peer.send(b"EHLO c.test\r\n")
            peer.reply()
        peer.send(behind[0] + behind[1])
        assert peer.line().startswith((b"220", b"+OK", b"a OK"))
        with node.trust.wrap_socket(peer.socket, server_hostname="localhost") as secure:
            secure.settimeout(20)
            secure.sendall(behind[2])
            answer = secure.recv(1000)
            assert answer.startswith({"pop3": b"-ERR", "imap": b"d OK"}.get(service, (b"503", b"530"))), answer
            assert answer.count(b"\r\n") == 1


@pytest.mark.parametrize(("service", "tls"), IMPLICIT)
def test_garbage_where_tls_is_spoken_ends_the_connection(node, service, tls):
    for garbage in (b"EHLO c.test\r\n", b"\x16\x03\x01\xff\xff" + b"\x00" * 70_000, b"\x80" * 100_000):
        with node.peer(service, tls, greeted=False) as peer:
            peer.pour(garbage)
            assert len(peer.rest()) < 100


def test_commands_that_are_none_end_the_session(node):
    with node.peer("imap") as imap, node.peer("pop3") as pop3, node.peer("smtp") as smtp:
        for peer, last in ((imap, b"* BYE"), (pop3, b"-ERR"), (smtp, b"421 4.")):
            peer.pour(b"x y z\r\n" * 100_000)
            lines = peer.rest().splitlines()
            assert lines[-1].startswith(last), lines[-1]
            assert len(lines) < 100
