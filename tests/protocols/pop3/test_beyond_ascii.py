"""What is not lines of ASCII: headers in UTF-8, binary content, and replies that nobody can forge."""

from __future__ import annotations

import pytest

NEEDS_UTF8 = b"-ERR [UTF8] the message is not in ASCII, say UTF8 before the login\r\n"
NOBODY = b"<invalid@internationalized-address.invalid>"
HEADER = "From: Grå <grå@grå.org>\r\nSubject: Grüße\r\n\r\n".encode()
IN_ASCII = (
    b"From: =?utf-8?b?R3LDpSA8Z3LDpUBncsOlLm9yZz4=?=\r\n " + NOBODY + b"\r\nSubject: =?utf-8?b?R3LDvMOfZQ==?=\r\n\r\n"
)
SMALL = "Körper\r\n.zwei\r\n".encode()
LARGE = SMALL * 30_000


@pytest.fixture(params=[SMALL, LARGE], ids=["at hand", "streaming"])
def body(request):
    return request.param


def filled(server, message):
    if len(message) > 256 * 1024:
        server.deliver_large(message)
    else:
        server.deliver(message)


def logged_in(server, *before):
    line = server("1")
    line.take()
    for command in before:
        assert line.say(command + b"\r\n").startswith(b"+OK")
    line.say(b"USER joe\r\nPASS secret\r\n")
    return line


def heard(server, line, command):
    """All of a reply, its content unstuffed."""
    reply = line.say(command + b"\r\n")
    for _ in range(200):
        if reply.endswith(b"\r\n.\r\n") or reply.startswith(b"-ERR"):
            break
        server.advance(0)
        reply += line.take()
    first, _, rest = reply.partition(b"\r\n")
    if first.startswith(b"-ERR"):
        return reply
    return b"".join(row.removeprefix(b".") + b"\r\n" for row in rest[:-5].split(b"\r\n"))


def test_header_comes_in_ascii_to_who_has_not_said_utf8(server, body):
    filled(server, HEADER + body)
    line = logged_in(server)
    assert heard(server, line, b"RETR 1") == IN_ASCII + body
    assert heard(server, line, b"TOP 1 0") == IN_ASCII
    assert heard(server, line, b"TOP 1 1") == IN_ASCII + body[: len(SMALL) - len(b".zwei\r\n")]
    assert line.say(b"STAT\r\n") == b"+OK 1 %d\r\n" % len(HEADER + body)


def test_message_comes_as_it_is_to_who_has(server, body):
    filled(server, HEADER + body)
    line = logged_in(server, b"UTF8")
    assert heard(server, line, b"RETR 1") == HEADER + body
    assert heard(server, line, b"TOP 1 0") == HEADER


def test_message_is_withheld_where_the_settings_say_so(server_of, body):
    server = server_of(utf8_headers="refuse")
    filled(server, HEADER + body)
    filled(server, b"Subject: x\r\n\r\n" + body)
    line = logged_in(server)
    for command in (b"RETR 1", b"TOP 1 0", b"TOP 1 9"):
        assert line.say(command + b"\r\n") == NEEDS_UTF8
    # A body beyond ASCII needs no more than it ever did.
    assert heard(server, line, b"RETR 2") == b"Subject: x\r\n\r\n" + body
    assert line.say(b"DELE 1\r\nQUIT\r\n") == b"+OK marked\r\n+OK bye\r\n"
    assert server.uids() == [2]


def test_withheld_message_comes_in_utf8_mode(server_of, body):
    server = server_of(utf8_headers="refuse")
    filled(server, HEADER + body)
    assert heard(server, logged_in(server, b"UTF8"), b"RETR 1") == HEADER + body


# Mail that was given by BDAT may have any octets; clients that read lines to LF must not see an end in it.
FORGED = b"Subject: x\r\n\r\na\n.\n+OK 5 octets\nb\r.\rc\r\n.\r\nd\n.\r\n\0\n"
CARRIED = b"Subject: x\r\n\r\na\r\n.\r\n+OK 5 octets\r\nb . c\r\n.\r\nd\r\n.\r\n\x80\r\n"


@pytest.mark.parametrize("utf8", [True, False])
@pytest.mark.parametrize("padding", [b"", b"p" * 300_000 + b"\r\n"], ids=["at hand", "streaming"])
def test_end_of_a_reply_cannot_be_forged(server, utf8, padding):
    filled(server, FORGED + padding)
    line = logged_in(server, *[b"UTF8"] * utf8)
    for command in (b"RETR 1", b"TOP 1 100"):
        line.feed(command + b"\r\n")
        reply = b""
        while not reply.endswith(b"\n.\r\n"):
            assert reply.count(b"\n.\n") == 0
            reply += line.take()
            server.advance(0)
        assert b"\0" not in reply
        # As poplib reads: a line ends with LF, and one of a dot alone ends the reply.
        rows = reply.replace(b"\r\n", b"\n").split(b"\n")
        assert rows.index(b".") == len(rows) - 2
        shown = b"".join(row.removeprefix(b".") + b"\r\n" for row in rows[1:-2])
        assert shown == CARRIED + padding
        assert line.say(b"NOOP\r\n") == b"+OK\r\n"


def test_binary_content_comes_in_base64(server):
    server.deliver(b"Content-Transfer-Encoding: binary\r\n\r\n\0\n.\r\n")
    line = logged_in(server, b"UTF8")
    assert line.say(b"RETR 1\r\n") == (b"+OK 47 octets\r\nContent-Transfer-Encoding: base64\r\n\r\nAAouDQo=\r\n.\r\n")
