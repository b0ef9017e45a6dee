"""Replies on the wire. Source: RFC 5321 §4.2.1, RFC 2034 §4."""

from __future__ import annotations

import pytest

from twisted_mail_node.mail.errors import (
    MailError,
    MessageTooBig,
    NoSuchAccount,
    PermanentFailure,
    TemporaryFailure,
    Unavailable,
)
from twisted_mail_node.mail.status import EnhancedStatus, Reply, reply
from twisted_mail_node.wire.smtp import replies


def test_one_line_carries_code_status_and_text() -> None:
    assert replies.render(reply(250, "2.1.0", "sender ok")) == b"250 2.1.0 sender ok\r\n"
    assert replies.render(Reply(354, ("go",))) == b"354 go\r\n"


def test_each_of_several_lines_carries_code_and_status() -> None:
    assert replies.render(reply(550, "5.7.1", "no", "never")) == b"550-5.7.1 no\r\n550 5.7.1 never\r\n"
    assert replies.render(Reply(250, ("a", "SIZE 1", "HELP"))) == b"250-a\r\n250-SIZE 1\r\n250 HELP\r\n"


def test_a_text_can_not_break_out_of_its_line() -> None:
    assert replies.render(reply(250, None, "a\r\nb\x00é")) == b"250 a??b??\r\n"


def test_a_text_is_cut_to_the_line_limit() -> None:
    rendered = replies.render(reply(550, "5.999.999", "x" * 1000))
    assert len(rendered) <= replies.REPLY_LINE_OCTETS


def test_a_line_may_be_beyond_ascii_where_the_client_wants_it() -> None:
    """RFC 6531 §3.7.4.2."""
    told = reply(250, "2.1.5", "<grüße@a.test>\x85", "ö" * 1000)
    plain, rendered = replies.render(told), replies.render(told, utf8=True)
    assert plain.startswith(b"250-2.1.5 <gr??e@a.test>?\r\n250 2.1.5 ???")
    assert rendered.startswith("250-2.1.5 <grüße@a.test>?\r\n250 2.1.5 öö".encode())
    assert rendered.endswith("ö\r\n".encode())
    assert all(len(line) <= replies.REPLY_LINE_OCTETS for line in rendered.splitlines(keepends=True))


def test_every_refusal_has_a_status_of_its_class() -> None:
    for name, value in vars(replies).items():
        if isinstance(value, Reply) and value.code >= 400:
            assert value.status is not None, name
            assert value.status.class_ == value.code // 100, name


@pytest.mark.parametrize(
    ("error", "rendered"),
    [
        (NoSuchAccount("gone"), b"550 5.1.1 gone\r\n"),
        (MessageTooBig("big"), b"552 5.3.4 big\r\n"),
        (PermanentFailure("no"), b"554 5.3.0 no\r\n"),
        (TemporaryFailure("full", EnhancedStatus(4, 3, 1)), b"452 4.3.1 full\r\n"),
        (TemporaryFailure("box", EnhancedStatus(4, 2, 1)), b"450 4.2.1 box\r\n"),
        (Unavailable("later"), b"451 4.3.0 later\r\n"),
        (TemporaryFailure("odd", EnhancedStatus(5, 7, 1)), b"451 4.7.1 odd\r\n"),
        (MailError("plain"), b"451 4.3.0 plain\r\n"),
        (RuntimeError("inside"), b"451 4.3.0 local error, try again later\r\n"),
    ],
)
def test_errors_from_doors_become_replies(error: BaseException, rendered: bytes) -> None:
    assert replies.render(replies.for_error(error)) == rendered


def test_the_greeting_names_host_and_protocol() -> None:
    assert replies.render(replies.greeting("mx.example")) == b"220 mx.example ESMTP ready\r\n"
    assert replies.render(replies.greeting("mx.example", protocol="LMTP")) == b"220 mx.example LMTP ready\r\n"
