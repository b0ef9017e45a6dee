"""Reading in amounts that fit in memory."""

from __future__ import annotations

import pytest

from twisted_mail_node.mail.columns import INLINE_BODY_OCTETS, FetchItem
from twisted_mail_node.protocols.imap import reading


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
