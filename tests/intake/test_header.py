"""What a header block tells. Source: RFC 5322 §2.2."""

from __future__ import annotations

import pytest

from twisted_mail_node.intake.header import NO_PAST, Past, header_facts, header_size


@pytest.mark.parametrize(
    ("content", "size"),
    [
        (b"A: b\r\n\r\nbody", 8),
        (b"\r\nbody", 2),
        (b"A: b\r\nC: d\r\n", None),
        (b"", None),
        (b"A: b\r\n\r\n", 8),
        (b"A: b\r\n\r", None),
    ],
)
def test_the_header_ends_at_the_first_empty_line(content, size):
    assert header_size(content) == size
    assert header_size(bytearray(content)) == size


def test_fields_are_known_by_their_names_in_any_case():
    header = b"received: a\r\nReceived: b\r\n\tReceived: folded\r\nX-Received: c\r\nDATE: d\r\nMessage-Id: <m>\r\n\r\n"
    facts = header_facts(header, "mx.a.test")
    assert facts.hops == 2
    assert facts.has_date
    assert facts.has_message_id
    assert facts.past == NO_PAST


OURS = b"Received: from c.test ([192.0.2.1])\r\n\tby MX.a.test with ESMTP id 1 for <Team@a.test>;\r\n\tsome day\r\n"
THEIRS = b"Received: from c.test by amx.a.test with ESMTP id 2 for <other@a.test>; some day\r\n"


def test_the_past_is_told_by_our_own_trace_fields_and_the_accounts_beside_them():
    header = b"Delivered-To: Alice@a.test\r\n" + THEIRS + OURS + b"DELIVERED-TO:\r\n <bob@a.test> \r\nX: y\r\n\r\n"
    facts = header_facts(header, "mx.a.test")
    assert facts.past == Past(frozenset(["team@a.test"]), frozenset(["alice@a.test", "bob@a.test"]))
    assert not facts.has_date
    assert not facts.has_message_id


@pytest.mark.parametrize(
    "header",
    [
        b"Delivered-To: alice@a.test\r\n\r\n",
        THEIRS + b"Delivered-To: alice@a.test\r\n\r\n",
        b"Resent-From: <alice@a.test>\r\n" + OURS + b"Delivered-To: alice@a.test\r\n\r\n",
        b"Subject: Received: by mx.a.test for <alice@a.test>\r\n\r\n",
    ],
)
def test_who_was_somewhere_else_or_is_sent_again_has_no_past_here(header):
    assert header_facts(header, "mx.a.test").past == NO_PAST
