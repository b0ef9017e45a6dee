"""Replies as servers send them, and what is no reply."""

from __future__ import annotations

import pytest

from twisted_mail_node.mail.status import EnhancedStatus, Reply
from twisted_mail_node.wire.errors import ProtocolViolation
from twisted_mail_node.wire.smtp.reply_reader import LINE_OCTETS, REPLY_LINES, REPLY_OCTETS, ReplyReader


def replies(data):
    reader = ReplyReader()
    reader.feed(data)
    taken = []
    while (reply := reader.take_reply()) is not None:
        taken.append(reply)
    return taken


def test_replies_come_one_after_the_other():
    assert replies(b"250-a\r\n250 b\r\n354\r\n550 5.1.1 no\r\n25") == [
        Reply(250, ("a", "b")),
        Reply(354, ("",)),
        Reply(550, ("no",), EnhancedStatus(5, 1, 1)),
    ]


@pytest.mark.parametrize(
    "line", [b"", b"2", b"25", b"25 0", b"abc ok", b"150 x", b"650 x", b"250x", b"+25 x", b"\xb2\xb3\xb9 x"]
)
def test_what_is_no_reply_is_a_violation(line):
    with pytest.raises(ProtocolViolation, match="what is no reply"):
        replies(line + b"\r\n")


def test_a_reply_has_a_number_of_lines_at_most():
    assert len(replies(b"250-\r\n" * (REPLY_LINES - 1) + b"250 end\r\n")[0].lines) == REPLY_LINES
    with pytest.raises(ProtocolViolation, match="without end"):
        replies(b"250-\r\n" * REPLY_LINES)


def test_a_reply_has_a_size_at_most():
    line = b"250-" + b"x" * 1020  # without CRLF
    assert REPLY_OCTETS % len(line) == 0
    most = (line + b"\r\n") * (REPLY_OCTETS // len(line))
    assert len(replies(most + b"250 end\r\n")) == 1
    with pytest.raises(ProtocolViolation, match="without end"):
        replies(most + b"250-\r\n")


def test_a_line_has_a_size_at_most():
    assert len(replies(b"250 " + b"x" * (LINE_OCTETS - 6) + b"\r\n")) == 1
    with pytest.raises(ProtocolViolation):
        replies(b"250 " + b"x" * (LINE_OCTETS - 5) + b"\r\n")


def test_limits_are_for_each_reply():
    half = b"250-\r\n" * (REPLY_LINES - 1) + b"250 end\r\n"
    assert len(replies(half * 3)) == 3


def test_clearing_forgets_half_a_reply():
    reader = ReplyReader()
    reader.feed(b"250-a\r\n250-b")
    assert reader.take_reply() is None
    assert reader.clear() == 5
    reader.feed(b"220 c\r\n")
    assert reader.take_reply() == Reply(220, ("c",))
