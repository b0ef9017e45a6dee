from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_mail_node.moving.formats.dovecot import (
    read_subscriptions,
    read_uidlist_head,
    read_uids,
    subscription_lines,
    uidlist_line,
)


def test_version_3_is_read():
    lines = [
        b"3 V1275660208 N25022 G3a1c5b2d8a1b1c1d1e1f101112131415\n",
        b"25006 :1276528487.M364837P9451.kurkku,S=1355,W=1394:2,\n",
        b"25017 W2481 :1276533073.M242911P3632.kurkku:2,F\n",
        b"25021 W2481 S2400 :1276533074.M1P1.kurkku\n",
    ]
    assert read_uidlist_head(lines[0]) == (1275660208, 25022)
    assert list(read_uids(lines[1:])) == [
        (25006, b"1276528487.M364837P9451.kurkku,S=1355,W=1394"),
        (25017, b"1276533073.M242911P3632.kurkku"),
        (25021, b"1276533074.M1P1.kurkku"),
    ]


def test_version_1_is_read():
    assert read_uidlist_head(b"1 1000000000 12\n") == (1_000_000_000, 12)
    assert list(read_uids([b"3 1.M1.host\n", b"11 2.M2.host:2,S\n"])) == [(3, b"1.M1.host"), (11, b"2.M2.host")]


def test_what_is_no_line_is_passed_over():
    lines = [b"\n", b"x :a\n", b"0 :b\n", b"4294967295 :c\n", b"99999999999999 :d\n", b"7 :e\n", b"8"]
    assert list(read_uids(lines)) == [(7, b"e")]


@pytest.mark.parametrize("line", [b"", b"\n", b"2 1 1\n", b"3 N1\n", b"3 V0 N1\n", b"3 V4294967295 N1\n", b"1 x y\n"])
def test_a_list_without_a_uidvalidity_says_nothing(line):
    assert read_uidlist_head(line) == (None, 1)


@given(st.lists(st.binary(max_size=40), max_size=6))
def test_nothing_that_stands_there_breaks_it(lines):
    assert all(0 < uid < 2**32 and name for uid, name in read_uids(lines))
    for line in lines:
        read_uidlist_head(line)


def test_the_first_line_is_of_one_length():
    assert len(uidlist_line(5, 1, 3)) == len(uidlist_line(5, 4_000_000_000, 3))
    assert read_uidlist_head(uidlist_line(5, 77, 3)) == (5, 77)


@pytest.mark.parametrize(
    "lines",
    [
        ["V\t2\n", "\n", "INBOX\n", "Sent\n", "Lists\tEntw&APw-rfe\n"],
        ["INBOX\n", "Sent\n", "Lists/Entw&APw-rfe\n"],
        ["INBOX", "INBOX.Sent", "INBOX.Lists.Entw&APw-rfe"],
    ],
)
def test_subscriptions_are_read(lines):
    assert read_subscriptions(lines) == {(), ("Sent",), ("Lists", "Entwürfe")}


def test_subscriptions_are_written():
    written = list(subscription_lines([["INBOX"], ["Lists", "Twisted"]]))
    assert "".join(written) == "V\t2\n\nINBOX\nLists\tTwisted\n"
