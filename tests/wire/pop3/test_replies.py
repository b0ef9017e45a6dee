"""Replies: status lines, listings."""

from __future__ import annotations

import pytest

from twisted_mail_node.wire.pop3 import replies
from twisted_mail_node.wire.pop3.replies import ResponseCode


def test_status_lines():
    assert replies.ok() == b"+OK\r\n"
    assert replies.ok("bye") == b"+OK bye\r\n"
    assert replies.error("no") == b"-ERR no\r\n"
    assert replies.error("later", ResponseCode.SYS_TEMP) == b"-ERR [SYS/TEMP] later\r\n"
    assert replies.challenge(b"") == b"+ \r\n"
    assert replies.status(2, 320) == b"+OK 2 320\r\n"
    assert replies.lines(b"+OK capabilities\r\n", ["TOP", "UIDL"]) == b"+OK capabilities\r\nTOP\r\nUIDL\r\n.\r\n"


@pytest.mark.parametrize("text", ["a\r\n+OK b", "jörg\0", "x" * 10_000, "a\u2028b"])
def test_text_stays_one_short_line_of_ascii(text):
    line = replies.error(text, ResponseCode.SYS_TEMP)
    assert len(line) <= replies.MAX_REPLY_OCTETS
    assert line.endswith(b"\r\n")
    assert line[:-2].decode("ascii").isprintable()


@pytest.mark.parametrize("text", ["größer\r\n+OK b", "日本語" * 1000, "é" * 245 + "日本語", "a\u2028b\0"])
def test_text_in_any_script_is_cut_between_its_characters(text):
    line = replies.ok(text, international=True)
    assert len(line) <= replies.MAX_REPLY_OCTETS
    assert line[:3] == b"+OK"
    assert line[4:-2].decode("utf-8").isprintable()
    assert line[-2:] == b"\r\n"


def test_text_never_looks_like_a_response_code():
    assert replies.ok("[192.0.2.1] POP3 ready") == b"+OK (192.0.2.1) POP3 ready\r\n"
    assert replies.error("[AUTH] no") == b"-ERR (AUTH) no\r\n"
    assert replies.error("[AUTH] no", ResponseCode.IN_USE) == b"-ERR [IN-USE] (AUTH) no\r\n"


def test_greeting_shows_a_timestamp_where_there_is_one():
    assert replies.greeting(b"+OK ready\r\n", None) == b"+OK ready\r\n"
    assert replies.greeting(b"+OK ready\r\n", b"<1@x>") == b"+OK ready <1@x>\r\n"


def test_listings():
    assert replies.scan_listings([(1, 120), (2, 200)]) == b"1 120\r\n2 200\r\n"
    assert replies.scan_listing(2, 200) == b"+OK 2 200\r\n"
    assert replies.unique_id_listings([(1, "abc"), (2, "def")]) == b"1 abc\r\n2 def\r\n"
    assert replies.unique_id_listing(2, "def") == b"+OK 2 def\r\n"
