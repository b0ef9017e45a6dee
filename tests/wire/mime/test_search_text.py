"""The text that is kept for searching."""

from __future__ import annotations

import pytest

from twisted_mail_node.wire.mime import search_text
from twisted_mail_node.wire.mime.search_text import TextCollector, encoded, kept_fields, kept_head, with_prefix


def test_a_head_is_a_folded_line_a_field():
    head = kept_head(b"Subject: =?utf-8?q?J=C3=B6rg?=\r\nTo: a\r\n b\r\n\r\n")
    assert head == encoded("SUBJECT: JO\u0308RG\nTO: A B")
    assert list(kept_fields(head, frozenset([b"to", b"cc"]))) == [("to", "A B")]


def test_a_head_that_is_not_looked_into_as_a_whole_is_not_kept():
    assert kept_head(b"A: b\r\n" * 30_000) is None


@pytest.mark.parametrize(
    ("prefix", "head", "joined"),
    [(b"", b"A: B", b"A: B"), (b"x: y\r\n", b"A: B", b"X: Y\nA: B"), (b"x: y\r\n", b"", b"X: Y")],
)
def test_lines_of_one_recipient_stand_before_the_others(prefix, head, joined):
    assert with_prefix(prefix, head) == joined


def test_texts_do_not_join():
    collector = TextCollector()
    for text in ("one", "", " t\0wo\ud800"):
        collector.feed(text)
    collector.end_text()
    collector.feed("three")
    collector.end_text()
    assert collector.finish() == encoded("ONE T\ufffdWO\ud800") + b"\0THREE\0"


def test_too_much_text_is_not_kept(monkeypatch):
    monkeypatch.setattr(search_text, "LIMIT_OCTETS", 5)
    collector = TextCollector()
    collector.feed("12345")
    assert not collector.is_full
    collector.feed("6")
    collector.feed("7")
    assert collector.is_full
    assert collector.finish() is None
