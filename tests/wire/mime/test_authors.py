"""Who a header says wrote the message."""

from __future__ import annotations

import pytest

from twisted_mail_node.mail.authors import NO_AUTHORS
from twisted_mail_node.wire.mime.authors import authors_of


def read(header):
    found = authors_of(header)
    return [str(address) for address in found.authors], [str(address) for address in found.senders], found.is_sound


@pytest.mark.parametrize(
    ("header", "authors", "senders"),
    [
        (b"From: ann@a.test\r\n\r\n", ["ann@a.test"], []),
        (b"Subject: x\r\nFROM: Ann <Ann@A.test>\r\nsender: joe@a.test\r\n\r\n", ["Ann@a.test"], ["joe@a.test"]),
        (b"From: ann@a.test, Joe <joe@a.test>\r\n\r\n", ["ann@a.test", "joe@a.test"], []),
        (b'From: "ann@a.test" <joe@b.test>\r\n\r\n', ["joe@b.test"], []),
        (b"From: <ann@a.test> joe@b.test\r\n\r\n", ["ann@a.test", "joe@b.test"], []),
        (b"From: Ann\r\n <ann@a.test>,\r\n\tjoe@b.test\r\nTo: x@y\r\n\r\n", ["ann@a.test", "joe@b.test"], []),
        (b"From: ann@a.test\r\nFrom: joe@b.test\r\n\r\n", ["ann@a.test", "joe@b.test"], []),
        (b"From : ann@a.test\r\n\r\n", ["ann@a.test"], []),
        (b"From: us: ann@a.test, joe@b.test;\r\n\r\n", ["ann@a.test", "joe@b.test"], []),
        (b"From: nobody:;\r\n\r\n", [], []),
        (b"From: <@x.test,@y.test:ann@a.test>\r\n\r\n", ["ann@a.test"], []),
        (b'From: "a b"@a.test\r\n\r\n', ['"a b"@a.test'], []),
        ("From: jörg@münchen.test\r\n\r\n".encode(), ["jörg@xn--mnchen-3ya.test"], []),
        (b"From: ann@a.test (joe@b.test)", ["ann@a.test"], []),
        (b"X-From: ann@a.test\r\nSubject: a\r\n from: joe@b.test\r\n\r\n", [], []),
        (b"X: y\rFrom: ann@a.test\nSender:\n joe@b.test\r\r\n", ["ann@a.test"], ["joe@b.test"]),
        (b"", [], []),
    ],
)
def test_addresses_of_from_and_sender_are_read(header, authors, senders):
    assert read(header) == (authors, senders, True)


@pytest.mark.parametrize(
    "header",
    [
        b"From: Ann\r\n\r\n",
        b"From: ann@\r\n\r\n",
        b"From: Ann <>\r\n\r\n",
        b"From: j\xf6rg@a.test\r\n\r\n",
        "From: ann@\u2260.test\r\n\r\n".encode(),
        b"Sender: Ann\r\n\r\n",
        b"From: ann@a.test," + b" " * 20_000 + b"joe@b.test\r\n\r\n",
    ],
)
def test_what_can_not_be_read_as_addresses_is_not_passed_over(header):
    assert not authors_of(header).is_sound


def test_without_the_fields_there_are_no_authors():
    assert authors_of(b"Subject: x\r\n\r\n") == NO_AUTHORS
