"""Search programs against columns, headers and texts."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_mail_node.mail.columns import Columns, FetchItem, InternalDate
from twisted_mail_node.mail.flags import Flags, SystemFlag
from twisted_mail_node.mail.search import (
    AllMessages,
    And,
    DateRelation,
    HasFlag,
    HasKeyword,
    HeaderContains,
    InternalDateIs,
    IsRecent,
    LargerThan,
    ModSeqAtLeast,
    Not,
    Or,
    SentDateIs,
    SmallerThan,
    TextContains,
    TextPlace,
    UIDIn,
)
from twisted_mail_node.mail.uid_set import UIDSet
from twisted_mail_node.wire.imap import search
from twisted_mail_node.wire.mime.decode import readable
from twisted_mail_node.wire.mime.search_text import TextCollector, kept_head
from twisted_mail_node.wire.mime.structure import structure_of

FLAGS = [Flags.from_names(names) for names in (["\\Seen"], ["\\Seen", "$Junk"], [], ["\\Deleted", "$junk"])]
COLUMNS = Columns(
    [1, 2, 5, 9],
    flags=FLAGS,
    sizes=[10, 20, 30, 40],
    internal_dates=[InternalDate(86_399), InternalDate(86_399, 1), InternalDate(86_400 * 2), InternalDate(0)],
)
TWO = date(1970, 1, 2)


@pytest.mark.parametrize(
    ("key", "uids"),
    [
        (AllMessages(), [1, 2, 5, 9]),
        (HasFlag(SystemFlag.SEEN), [1, 2]),
        (Not(HasFlag(SystemFlag.SEEN)), [5, 9]),
        (HasKeyword("$JUNK"), [2, 9]),
        (UIDIn(UIDSet.of([2, 3, 9])), [2, 9]),
        (LargerThan(20), [5, 9]),
        (SmallerThan(20), [1]),
        (InternalDateIs(DateRelation.BEFORE, TWO), [1, 9]),
        (InternalDateIs(DateRelation.ON, TWO), [2]),
        (InternalDateIs(DateRelation.SINCE, TWO), [2, 5]),
        (And(()), [1, 2, 5, 9]),
        (And((HasFlag(SystemFlag.SEEN), LargerThan(15))), [2]),
        (Or(HasFlag(SystemFlag.DELETED), SmallerThan(15)), [1, 9]),
        (Not(And((Not(LargerThan(15)), AllMessages()))), [2, 5, 9]),
        (Or(AllMessages(), TextContains(TextPlace.BODY, "x")), [1, 2, 5, 9]),
        (And((LargerThan(99), TextContains(TextPlace.BODY, "x"))), []),
    ],
)
def test_columns_decide(key, uids):
    assert search.decide_rows(key, COLUMNS) == (uids, [])


def test_the_same_flags_are_looked_at_once():
    assert search.decide_rows(HasKeyword("$Junk"), Columns([1, 2], flags=[FLAGS[1], FLAGS[1]])) == ([1, 2], [])


def test_what_columns_leave_open_has_to_be_read():
    key = And((HasFlag(SystemFlag.SEEN), TextContains(TextPlace.BODY, "x")))
    assert search.decide_rows(key, COLUMNS) == ([], [1, 2])
    key = Not(Or(SmallerThan(15), HeaderContains("from", "x")))
    assert search.decide_rows(key, COLUMNS) == ([], [2, 5, 9])


def test_what_is_needed_is_told():
    key = And((HasFlag(SystemFlag.SEEN), Not(LargerThan(1)), HeaderContains("to", "x")))
    assert search.columns_needed(key) == FetchItem.FLAGS | FetchItem.SIZE
    assert search.reads_headers(key)
    assert not search.reads_texts(key)
    assert search.columns_needed(InternalDateIs(DateRelation.ON, TWO)) == FetchItem.INTERNAL_DATE
    assert search.columns_needed(ModSeqAtLeast(3)) == FetchItem.MODSEQ


def test_header_fields_that_decide_are_named():
    key = Or(HeaderContains("to", "x"), Not(SentDateIs(DateRelation.ON, TWO)))
    assert search.headers_needed(key) == {b"to", b"date"}


def test_recent_becomes_uids():
    key = Not(And((IsRecent(), Or(IsRecent(), AllMessages()))))
    uids = UIDIn(UIDSet.of([5]))
    assert search.without_recent(key, uids.uids) == Not(And((uids, Or(uids, AllMessages()))))


MESSAGE = (
    b"From: =?utf-8?q?J=C3=B6rg?= <joerg@x.test>\r\nSubject: =?iso-2022-jp?B?GyRCRnxLXDhsGyhC?=\r\n"
    b"Date: Fri, 20 Nov 2026 23:30:00 -0800\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n"
    b"--x\r\nContent-Type: text/plain; charset=iso-2022-jp\r\n\r\n\x1b$B%a!<%k\x1b(B one\r\n"
    b"--x\r\nContent-Type: text/html\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n<b>H=\r\nello</b>\r\n"
    b"--x\r\nContent-Type: image/png\r\n\r\nsecret\r\n"
    b"--x\r\nContent-Type: message/rfc822\r\n\r\nSubject: inside\r\n\r\ndeep\r\n--x--\r\n"
)
HEADER_SIZE = MESSAGE.index(b"--x\r\n")


def decided(key):
    message = search.Message(COLUMNS, 0)
    first = message.decide(key)
    message.header_read(MESSAGE[:HEADER_SIZE], search.headers_needed(key))
    second = message.decide(key)
    assert first in (None, second)
    message.texts_found(search.find_in_message(search.needles_of(key), MESSAGE, HEADER_SIZE))
    third = message.decide(key)
    assert second in (None, third)
    assert third == decided_by_kept_text(key)
    return third


def decided_by_kept_text(key):
    head = kept_head(MESSAGE[:HEADER_SIZE])
    collector = TextCollector()
    for decoder, start, end in readable(structure_of(MESSAGE)):
        collector.feed(decoder.feed(MESSAGE[start:end]) + decoder.finish())
        collector.end_text()
    message = search.Message(COLUMNS, 0)
    message.head_known(head, search.headers_needed(key))
    message.texts_found(search.find_in_kept(search.needles_of(key), head, collector.finish()))
    return message.decide(key)


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        (HeaderContains("from", "JÖRG"), True),
        (HeaderContains("from", "x.TEST"), True),
        (HeaderContains("from", "nobody"), False),
        (HeaderContains("subject", "日本"), True),
        (HeaderContains("subject", ""), True),
        (HeaderContains("x-none", ""), False),
        (SentDateIs(DateRelation.ON, date(2026, 11, 20)), True),
        (SentDateIs(DateRelation.BEFORE, date(2026, 11, 20)), False),
        (SentDateIs(DateRelation.SINCE, date(2026, 11, 20)), True),
        (TextContains(TextPlace.BODY, "メール ONE"), True),
        (TextContains(TextPlace.BODY, "ﾒｰﾙ"), True),
        (TextContains(TextPlace.BODY, "hello"), True),
        (TextContains(TextPlace.BODY, "secret"), False),
        (TextContains(TextPlace.BODY, "deep"), True),
        (TextContains(TextPlace.BODY, "inside"), True),
        (TextContains(TextPlace.BODY, "jörg"), False),
        (TextContains(TextPlace.TEXT, "jörg"), True),
        (TextContains(TextPlace.TEXT, "日本語"), True),
        (TextContains(TextPlace.BODY, ""), True),
        (And((HeaderContains("from", "x"), Not(TextContains(TextPlace.BODY, "one")))), False),
        (Or(TextContains(TextPlace.BODY, "nothing"), TextContains(TextPlace.TEXT, "inside")), True),
    ],
)
def test_messages_decide(key, expected):
    assert decided(key) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("FRI, 20 NOV 2026 23:30:00 -0800", date(2026, 11, 20)),
        ("1 JAN 99 00:00 GMT", date(1999, 1, 1)),
        ("1 JANUARY 05", date(2005, 1, 1)),
        ("31 FEB 2020", None),
        ("YESTERDAY", None),
    ],
)
def test_days_of_date_headers(text, expected):
    assert search.sent_day(text) == (expected and expected.toordinal())


@given(st.text("ab ﬁＡé", max_size=40), st.text("ab fiaé", min_size=1, max_size=4), st.integers(1, 7))
def test_texts_in_pieces_are_found_as_in_one(text, wanted, size):
    needle = search.Needle(TextPlace.BODY, search.fold(wanted))
    finder = search.TextFinder([needle])
    for start in range(0, len(text), size):
        finder.feed(text[start : start + size])
    assert finder.is_done() == (needle.text in search.fold(text))


def test_what_is_known_decides_as_soon_as_it_can():
    message = search.Message(COLUMNS, 0)
    header, text = HeaderContains("from", "jörg"), TextContains(TextPlace.BODY, "one")
    seen, unseen = HasFlag(SystemFlag.SEEN), Not(HasFlag(SystemFlag.SEEN))
    assert message.decide(Or(seen, text)) is True
    assert message.decide(Or(text, seen)) is True
    assert message.decide(Or(unseen, text)) is None
    assert message.decide(Or(unseen, Not(seen))) is False
    assert message.decide(And((text, unseen))) is False
    assert message.decide(And((text, seen))) is None
    assert message.decide(Not(text)) is None
    assert message.decide(SentDateIs(DateRelation.ON, TWO)) is None
    message.header_read(MESSAGE[:HEADER_SIZE], search.headers_needed(header))
    assert message.decide(And((header, text))) is None
    assert message.decide(Or(header, text)) is True


def test_a_message_without_date_was_sent_on_no_day():
    message = search.Message(COLUMNS, 0)
    message.header_read(b"Subject: x\r\n\r\n", frozenset([b"date"]))
    assert message.decide(SentDateIs(DateRelation.BEFORE, TWO)) is False


def test_columns_are_taken_only_where_they_are():
    bare = Columns([1, 2])
    assert search.decide_rows(UIDIn(UIDSet.of([2])), bare) == ([2], [])
    assert search.Message(bare, 1).decide(UIDIn(UIDSet.of([2]))) is True


def test_modseqs_are_compared_with_the_least():
    columns = Columns([1, 2, 3], modseqs=[7, 9, 8])
    assert search.decide_rows(ModSeqAtLeast(8), columns) == ([2, 3], [])
    assert search.Message(columns, 1).decide(ModSeqAtLeast(8))
    assert search.asks_modseq(Not(And((AllMessages(), ModSeqAtLeast(8)))))
    assert not search.asks_modseq(AllMessages())
