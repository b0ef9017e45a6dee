"""Reading in amounts that fit in memory."""

from __future__ import annotations

import pytest
from twisted.internet.defer import succeed

from twisted_mail_node.mail.columns import INLINE_BODY_OCTETS, FetchItem
from twisted_mail_node.protocols.imap import reading
from twisted_mail_node.testing.deferreds import result_of


@pytest.fixture
def asked(server, monkeypatch):
    """What was asked of the mailbox: items, and of how many messages."""
    seen = []
    kind = type(server.mailbox())
    fetch = kind.fetch

    def noticed(mailbox, uids, items):
        seen.append((items, len(uids)))
        return fetch(mailbox, uids, items)

    monkeypatch.setattr(kind, "fetch", noticed)
    return seen


@pytest.mark.parametrize("item", ["BODY.PEEK[HEADER.FIELDS (X)]", "ENVELOPE"])
def test_headers_without_end_are_not_read_a_hundred_at_once(server, asked, monkeypatch, item):
    monkeypatch.setattr(reading, "HEADER_OCTETS_AT_ONCE", 3 * INLINE_BODY_OCTETS)
    all_header = b"X: " + b"y" * (INLINE_BODY_OCTETS - 7) + b"\r\n\r\n"
    server.deliver(*[all_header, b"X: z\r\n\r\n", b"X: z" + all_header] * 3)
    client = server.selected()
    del asked[:]
    assert client.ask(f"FETCH 1:* ({item})").count(b" FETCH (") == 9
    counts = [count for items, count in asked if FetchItem.HEADER in items]
    assert sum(counts) == 9
    assert max(counts) <= 4


def test_kept_texts_are_not_read_a_hundred_at_once(server, asked, monkeypatch):
    monkeypatch.setattr(reading, "HEADER_OCTETS_AT_ONCE", 3 * INLINE_BODY_OCTETS)
    filling = b"x" * (INLINE_BODY_OCTETS - 30)
    server.deliver(*[b"A: b\r\n\r\n" + filling + text for text in (b"needle", b"no such", b"needle")] * 3)
    kind = type(server.mailbox())
    fetch = kind.fetch

    def with_texts(mailbox, uids, items):
        columns = result_of(fetch(mailbox, uids, items | FetchItem.BODY))
        if FetchItem.SEARCH_TEXT in items:
            columns.search_heads = [b"A: B"] * len(columns)
            columns.search_texts = [body.partition(b"\r\n\r\n")[2].upper() for body in columns.bodies]
        return succeed(columns)

    monkeypatch.setattr(kind, "fetch", with_texts)
    client = server.selected()
    del asked[:]
    assert client.ask("SEARCH BODY needle") == b"* SEARCH 1 3 4 6 7 9\r\n"
    counts = [count for items, count in asked if FetchItem.SEARCH_TEXT in items]
    assert sum(counts) == 9
    assert max(counts) <= 3


def test_headers_that_need_a_surrogate_are_not_read_all_at_once_again(server, asked, monkeypatch):
    monkeypatch.setattr(reading, "HEADER_OCTETS_AT_ONCE", 3 * INLINE_BODY_OCTETS)
    server.deliver(*[b"Subject: \xc3\xa4\r\nX: " + b"y" * (INLINE_BODY_OCTETS - 30) + b"\r\n\r\n"] * 9)
    client = server.selected()
    client.ask("FETCH 1:* (ENVELOPE)")  # they are kept now
    del asked[:]
    assert client.ask("FETCH 1:* (ENVELOPE)").count(b' FETCH (ENVELOPE (NIL "=?utf-8?b?') == 9
    counts = [count for items, count in asked if FetchItem.HEADER in items]
    assert sum(counts) == 9
    assert max(counts) <= 3


def test_what_is_deleted_is_counted_in_slices(server, asked, monkeypatch):
    server.deliver(*[b"A: b\r\n\r\n"] * 5)
    client = server.selected()
    client.ask("STORE 1:* +FLAGS.SILENT (\\Deleted)")
    monkeypatch.setattr(reading, "ROWS_OF_FLAGS", 2)
    del asked[:]
    assert client.ask("STATUS Sent (DELETED-STORAGE)") == b"* STATUS Sent (DELETED-STORAGE 0)\r\n"
    assert client.ask("STATUS INBOX (DELETED-STORAGE)") == b"* STATUS INBOX (DELETED-STORAGE 40)\r\n"
    assert [count for _, count in asked] == [2, 2, 1]
