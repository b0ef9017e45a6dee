"""Who sends octet by octet, and who stops in the middle: by half a close, a whole one, or a reset."""

from __future__ import annotations

import socket
import struct

import pytest

from ..processes import eventually

SMTP = (
    b"EHLO c.test\r\nMAIL FROM:<s@c.test>\r\nRCPT TO:<joe@example.test>\r\nDATA\r\nSubject: octets\r\n\r\n..x\r\n.\r\n"
    b"MAIL FROM:<s@c.test>\r\nRCPT TO:<joe@example.test>\r\nBDAT 3\r\nA: BDAT 5 LAST\r\nb\r\n\r\nQUIT\r\n"
)
DIALOGUES = {
    "smtp": SMTP,
    "lmtp": SMTP.replace(b"EHLO", b"LHLO"),
    "pop3": b"CAPA\r\nUSER joe\r\nPASS secret\r\nSTAT\r\nNOOP\r\nQUIT\r\n",
    "imap": b"a LOGIN {3}\r\njoe secret\r\nb SELECT INBOX\r\nc APPEND INBOX {8+}\r\nA: b\r\n\r\n\r\nd LOGOUT\r\n",
}


@pytest.mark.parametrize("service", DIALOGUES)
def test_a_dialogue_octet_by_octet_is_a_dialogue(node, service):
    with node.peer(service) as peer:
        peer.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for octet in DIALOGUES[service]:
            peer.send(bytes([octet]))
        told = peer.rest()
    if service in ("smtp", "lmtp"):
        assert told.count(b"250 2.0.0 queued as ") == 2
        assert told.endswith(b"221 2.0.0 bye\r\n")
    elif service == "pop3":
        assert told.count(b"+OK") == 6
    else:
        assert [line[:4] for line in told.splitlines() if line[1:2] == b" " and line[:1] in b"abcd"] == [
            b"a OK",
            b"b OK",
            b"c OK",
            b"d OK",
        ]


ENVELOPE = b"EHLO c.test\r\nMAIL FROM:<s@c.test>\r\nRCPT TO:<joe@example.test>\r\n"
HALVES = [
    ("smtp", b"MAI"),
    ("smtp", ENVELOPE),
    ("smtp", ENVELOPE + b"DATA\r\nSubject: half\r\n\r\nx\r\n.\r"),
    ("smtp", ENVELOPE + b"BDAT 100 LAST\r\nSubject: half\r\n\r\nx\r\n"),
    ("smtp", ENVELOPE + b"BDAT 19\r\nSubject: half\r\n\r\nx\r\n"),
    ("submission", b"EHLO c.test\r\nAUTH PLAIN\r\nAGpv"),
    ("lmtp", ENVELOPE.replace(b"EHLO", b"LHLO") + b"DATA\r\nSubject: half\r\n\r\nx"),
    ("pop3", b"USER joe\r\nPASS sec"),
    ("imap", b"a LOGIN joe secret\r\nb APPEND INBOX {100+}\r\nSubject: half\r\n\r\nx"),
    ("imap", b"a LOGIN joe secret\r\nb SELECT INBOX\r\nc IDLE\r\n"),
]


@pytest.mark.parametrize("ending", ["half", "whole", "reset"])
def test_what_was_cut_in_the_middle_is_nowhere_and_its_connection_is_gone(node, ending):
    before = node.open_files()
    for service, words in HALVES:
        peer = node.peer(service)
        peer.send(words)
        if ending == "half":
            peer.socket.shutdown(socket.SHUT_WR)
            assert b"queued as" not in peer.rest()
        elif ending == "reset":
            peer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        peer.close()
    eventually(lambda: node.open_files() < before + 5)
    with node.imap() as reader:
        reader.ask(b"b SELECT INBOX")
        reader.tagged()
        assert reader.ask(b"c SEARCH SUBJECT half").split() == [b"*", b"SEARCH"]
