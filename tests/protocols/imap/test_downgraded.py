"""Surrogates of messages that stream, and of messages that went."""

from __future__ import annotations

import re

import pytest
from twisted.internet.defer import succeed

from twisted_mail_node.mail.columns import INLINE_BODY_OCTETS, Columns
from twisted_mail_node.store.memory.doors import MemoryMailbox
from twisted_mail_node.wire.imap import seven_bits
from twisted_mail_node.wire.mime.headers import header_size

FILLING = b"".join(b"line %06d \xc3\xa4\r\n" % number for number in range(INLINE_BODY_OCTETS // 12))
IN_HEADER = b"Subject: \xc3\xa4\r\nFrom: a@b.test\r\n\r\n" + FILLING
IN_PART = (
    b"Subject: x\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\n"
    + FILLING
    + b"--x\r\nContent-Type: message/global\r\n\r\nSubject: inner \xc3\xa4\r\n\r\n\xc3\xa4\r\n--x--\r\n"
)
NOWHERE = b"Subject: x\r\n\r\n" + FILLING


def literal(answer, label):
    found = re.search(re.escape(label) + rb" \{(\d+)\}\r\n", answer)
    return answer[found.end() : found.end() + int(found[1])]


@pytest.mark.parametrize("message", [IN_HEADER, IN_PART, NOWHERE], ids=["header", "part", "nowhere"])
def test_a_large_message_streams_as_its_surrogate(message, server_of):
    server = server_of()
    server.deliver(message)
    line = server.selected()
    form = seven_bits.message_form(message)
    assert (form == message) == (message is NOWHERE)
    assert literal(line.ask("FETCH 1 BODY.PEEK[]"), b"BODY[]") == form
    # Backwards as well, and from the middle.
    answer = line.ask("FETCH 1 (BODY.PEEK[TEXT] BODY.PEEK[HEADER] BODY.PEEK[]<300000.50> BODY.PEEK[]<10.20>)")
    assert literal(answer, b"BODY[TEXT]") == form[header_size(form) :]
    assert literal(answer, b"BODY[HEADER]") == form[: header_size(form)]
    assert literal(answer, b"BODY[]<300000>") == form[300000:300050]
    assert literal(answer, b"BODY[]<10>") == form[10:30]
    structure = line.ask("FETCH 1 BODYSTRUCTURE")
    assert structure == b"* 1 FETCH (BODYSTRUCTURE %b)\r\n" % seven_bits.structure_form(message)


def test_parts_of_a_large_message_are_those_of_its_surrogate(server_of):
    server = server_of()
    server.deliver(IN_PART)
    line = server.selected()
    answer = line.ask("FETCH 1 (BODY.PEEK[2.HEADER] BODY.PEEK[2] BODY.PEEK[2.HEADER.FIELDS (SUBJECT)])")
    header = b"Subject: =?utf-8?b?aW5uZXIgw6Q=?=\r\n\r\n"
    assert literal(answer, b"BODY[2.HEADER]") == header
    assert literal(answer, b"BODY[2]") == header + b"\xc3\xa4"
    assert literal(answer, b"BODY[2.HEADER.FIELDS (SUBJECT)]") == header


def test_who_has_enabled_utf8_gets_the_message_itself(server_of):
    server = server_of()
    server.deliver(IN_HEADER)
    line = server.selected()
    line.ask("ENABLE UTF8=ACCEPT")
    assert literal(line.ask("FETCH 1 BODY.PEEK[]"), b"BODY[]") == IN_HEADER


def test_a_message_that_goes_meanwhile_is_shown_without_what_cannot_be_shown(server_of, monkeypatch):
    server = server_of()
    server.deliver(b"Subject: \xc3\xa4\r\nContent-Type: a/b; name=\xc3\xa4\r\n\r\n")
    line = server.selected()
    line.ask("FETCH 1 (ENVELOPE BODYSTRUCTURE)")  # both are kept now
    fetch = MemoryMailbox.fetch
    monkeypatch.setattr(
        MemoryMailbox,
        "fetch",
        lambda self, uids, items: (
            fetch(self, uids, items) if items.name != "BODY" and items.name != "HEADER" else gone()
        ),
    )
    answer = line.ask("FETCH 1 (ENVELOPE BODYSTRUCTURE)")
    assert answer.startswith(b"* 1 FETCH (ENVELOPE (NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL) BODYSTRUCTURE (")
    assert answer.isascii()


def gone():
    return succeed(Columns(()))
