"""POP3 on a node of its own: what lasts over a power cut, who keeps whom out, and what an update removes."""

from __future__ import annotations

import imaplib
import poplib
import smtplib
import socket
import struct
from base64 import b64decode

import pytest

from .processes import NodeProcess, eventually, listening

USER, PASSWORD = "joe@example.test", "secret"
MESSAGES = [b"Subject: %d\r\n\r\n.dot %d\r\n..\r\n.\r\n" % (number, number) for number in range(20)]


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    listen = listening((service, "none") for service in ("smtp", "pop3", "imap"))
    config = f'hostname = "mx.example.test"\nstate_dir = "state"\n[[domain]]\nname = "example.test"\n{listen}'
    node = NodeProcess(tmp_path_factory.mktemp("pop3"), config)
    node.add_user(USER, PASSWORD)
    node.start()
    try:
        with smtplib.SMTP(*node.listener("smtp", "none"), timeout=20) as client:
            for message in MESSAGES:
                client.sendmail("s@c.test", [USER], message)
        yield node
    finally:
        node.stop()


def logged_in(node: NodeProcess) -> poplib.POP3:
    client = poplib.POP3(*node.listener("pop3", "none"), timeout=20)
    client.user(USER)
    client.pass_(PASSWORD)
    return client


def unique_ids(client: poplib.POP3) -> list[bytes]:
    return [row.split()[1] for row in client.uidl()[1]]


def test_counts_are_of_the_octets_that_come(node):
    client = logged_in(node)
    sizes = [int(row.split()[1]) for row in client.list()[1]]
    assert client.stat() == (len(MESSAGES), sum(sizes))
    for number, (message, size) in enumerate(zip(MESSAGES, sizes, strict=True), 1):
        first, lines, _ = client.retr(number)
        content = b"".join(line + b"\r\n" for line in lines)
        assert content.endswith(message)
        assert first == b"+OK %d octets" % size
        assert len(content) == size
        assert client.top(number, 2)[1] == lines[:-1]
    client.quit()


def test_a_maildrop_is_one_sessions_at_a_time_and_imap_is_not_kept_out(node):
    client = logged_in(node)
    with pytest.raises(poplib.error_proto, match=r"\[IN-USE\]"):
        logged_in(node)
    with imaplib.IMAP4(*node.listener("imap", "none"), timeout=20) as other:
        other.login(USER, PASSWORD)
        assert other.select()[1] == [b"%d" % len(MESSAGES)]
    client.quit()
    logged_in(node).quit()


def test_a_client_that_is_cut_off_removes_nothing_and_frees_the_maildrop(node):
    client = logged_in(node)
    ids = unique_ids(client)
    client.dele(1)
    client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()

    def freed() -> poplib.POP3 | None:
        try:
            return logged_in(node)
        except poplib.error_proto:
            return None

    client = eventually(freed)
    assert unique_ids(client) == ids
    client.quit()


def test_a_client_that_sends_no_more_removes_nothing(node):
    client = logged_in(node)
    ids = unique_ids(client)
    client.sock.sendall(b"DELE 1\r\n")
    client.sock.shutdown(socket.SHUT_WR)
    heard = b""
    while piece := client.sock.recv(4096):
        heard += piece
    assert heard in (b"", b"+OK marked\r\n")
    client.close()
    client = logged_in(node)
    assert unique_ids(client) == ids
    client.quit()


def test_after_a_power_cut_unique_ids_are_the_same_and_nobody_is_kept_out(node):
    client = logged_in(node)
    ids = unique_ids(client)
    client.dele(1)
    node.kill()
    client.close()
    node.start()
    client = logged_in(node)
    assert unique_ids(client) == ids
    client.dele(2)
    client.dele(len(ids))
    client.quit()
    client = logged_in(node)
    assert unique_ids(client) == [ids[0], *ids[2:-1]]
    client.quit()


def given_by_chunk(node: NodeProcess, parameters: str, content: bytes) -> None:
    with smtplib.SMTP(*node.listener("smtp", "none"), timeout=20) as client:
        client.ehlo()
        assert client.docmd("MAIL", f"FROM:<s@c.test> {parameters}")[0] == 250
        assert client.docmd("RCPT", f"TO:<{USER}>")[0] == 250
        client.sock.sendall(b"BDAT %d LAST\r\n" % len(content) + content)
        assert client.getreply()[0] == 250


def test_binary_mail_comes_whole_and_forges_no_reply(node):
    octets = b"first\n.\r\n+OK 1 octets\n.\n\0\r.\r" + bytes(range(256)) + b"\r\n.\r\n"
    given_by_chunk(node, "BODY=BINARYMIME", b"Subject: x\r\nContent-Transfer-Encoding: binary\r\n\r\n" + octets)
    client = logged_in(node)
    lines = client.retr(len(unique_ids(client)))[1]
    header, body = lines[: lines.index(b"")], lines[lines.index(b"") + 1 :]
    assert b"Content-Transfer-Encoding: base64" in header
    assert b64decode(b"".join(body)) == octets
    assert client.noop() == b"+OK"
    client.quit()


def test_mail_in_utf8_is_for_who_asks_for_it_and_readable_for_all(node):
    content = "From: Grå <grå@grå.test>\r\nSubject: Grüße\r\n\r\nSchöne Grüße\r\n".encode()
    given_by_chunk(node, "BODY=8BITMIME SMTPUTF8", content)
    client = poplib.POP3(*node.listener("pop3", "none"), timeout=20)
    client.utf8()
    client.user(USER)
    client.pass_(PASSWORD)
    number = len(unique_ids(client))
    first, lines, _ = client.retr(number)
    assert b"\r\n".join(lines).endswith(content.rstrip())
    assert first == b"+OK " + client.list(number).split()[-1] + b" octets"
    client.quit()
    client = logged_in(node)
    lines = client.retr(number)[1]
    assert all(line.isascii() for line in lines[: lines.index(b"")])
    assert b"Subject: =?utf-8?b?R3LDvMOfZQ==?=" in lines
    assert lines[-1] == "Schöne Grüße".encode()
    client.quit()
