"""What a header block tells. Source: RFC 5322 §2.2."""

from __future__ import annotations

import pytest

from twisted_mail_node.intake.header import header_facts, header_size


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
    facts = header_facts(header)
    assert facts.hops == 2
    assert facts.has_date
    assert facts.has_message_id
    assert facts.delivered_to == frozenset()


def test_delivered_to_is_read_with_and_without_brackets():
    facts = header_facts(b"Delivered-To: Alice@a.test\r\nDelivered-To: <bob@a.test> \r\nSubject: x\r\n\r\n")
    assert facts.delivered_to == {"alice@a.test", "bob@a.test"}
    assert not facts.has_date
    assert not facts.has_message_id
