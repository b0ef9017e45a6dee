"""SEARCH: every key, charsets, nesting, and programs made for a view."""

from __future__ import annotations

from datetime import date

import pytest

from twisted_mail_node.mail import search as m
from twisted_mail_node.mail.flags import SystemFlag
from twisted_mail_node.mail.uid_set import UIDSet
from twisted_mail_node.wire.imap.commands.search import (
    AllOf,
    AnyOf,
    NotThis,
    SequenceIn,
    UIDIn,
    names_numbers,
    resolve,
)
from twisted_mail_node.wire.imap.grammar import parse_command
from twisted_mail_node.wire.imap.refusal import BadSyntax, Impossible
from twisted_mail_node.wire.imap.sequence import STAR, NoSuchMessageNumber, SequenceSet

DAY = date(1994, 2, 1)
ALL = m.AllMessages()
FLAGGED = m.HasFlag(SystemFlag.FLAGGED)
ONE = SequenceIn(SequenceSet(((1, 1),)))
BEFORE, ON, SINCE = m.DateRelation.BEFORE, m.DateRelation.ON, m.DateRelation.SINCE


def key(octets):
    return parse_command(b"t SEARCH " + octets).key


@pytest.mark.parametrize(
    ("octets", "expected"),
    [
        (b"ALL", ALL),
        (b"ANSWERED", m.HasFlag(SystemFlag.ANSWERED)),
        (b"BCC x", m.HeaderContains("bcc", "x")),
        (b"BEFORE 1-Feb-1994", m.InternalDateIs(BEFORE, DAY)),
        (b'BODY "a b"', m.TextContains(m.TextPlace.BODY, "a b")),
        (b"CC x", m.HeaderContains("cc", "x")),
        (b"DELETED", m.HasFlag(SystemFlag.DELETED)),
        (b"DRAFT", m.HasFlag(SystemFlag.DRAFT)),
        (b"flagged", FLAGGED),
        (b"FROM {3}\r\na b", m.HeaderContains("from", "a b")),
        (b'HEADER X-Foo ""', m.HeaderContains("x-foo", "")),
        (b"HEADER Message-ID <a@b>", m.HeaderContains("message-id", "<a@b>")),
        (b"KEYWORD $Junk", m.HasKeyword("$Junk")),
        (b"LARGER 0", m.LargerThan(0)),
        (b"MODSEQ 620162338", m.ModSeqAtLeast(620162338)),
        (b'MODSEQ "/flags/\\\\draft" all 0', m.ModSeqAtLeast(0)),
        (b'modseq "/flags/$MDNSent" SHARED 1', m.ModSeqAtLeast(1)),
        (b"NEW", AllOf((m.IsRecent(), NotThis(m.HasFlag(SystemFlag.SEEN))))),
        (b"NOT FLAGGED", NotThis(FLAGGED)),
        (b"OLD", NotThis(m.IsRecent())),
        (b'ON "1-feb-1994"', m.InternalDateIs(ON, DAY)),
        (b"OR ALL FLAGGED", AnyOf((ALL, FLAGGED))),
        (b"RECENT", m.IsRecent()),
        (b"SEEN", m.HasFlag(SystemFlag.SEEN)),
        (b"SENTBEFORE 01-Feb-1994", m.SentDateIs(BEFORE, DAY)),
        (b"SENTON 1-Feb-1994", m.SentDateIs(ON, DAY)),
        (b"SENTSINCE 1-Feb-1994", m.SentDateIs(SINCE, DAY)),
        (b"SINCE 1-Feb-1994", m.InternalDateIs(SINCE, DAY)),
        (b"SMALLER 4294967295", m.SmallerThan(4294967295)),
        (b"SUBJECT x", m.HeaderContains("subject", "x")),
        (b"TEXT x", m.TextContains(m.TextPlace.TEXT, "x")),
        (b"TO x", m.HeaderContains("to", "x")),
        (b"UID 4,7:*", UIDIn(SequenceSet(((4, 4), (7, STAR))))),
        (b"UNANSWERED", NotThis(m.HasFlag(SystemFlag.ANSWERED))),
        (b"UNDELETED", NotThis(m.HasFlag(SystemFlag.DELETED))),
        (b"UNDRAFT", NotThis(m.HasFlag(SystemFlag.DRAFT))),
        (b"UNFLAGGED", NotThis(FLAGGED)),
        (b"UNKEYWORD $Junk", NotThis(m.HasKeyword("$Junk"))),
        (b"UNSEEN", NotThis(m.HasFlag(SystemFlag.SEEN))),
        (b"1", ONE),
        (b"*", SequenceIn(SequenceSet(((STAR, STAR),)))),
        (b"1 ALL", AllOf((ONE, ALL))),
        (b"(1 ALL) FLAGGED", AllOf((AllOf((ONE, ALL)), FLAGGED))),
        (b"(FLAGGED)", FLAGGED),
        (b"NOT (1 ALL)", NotThis(AllOf((ONE, ALL)))),
        (b"OR (1 ALL) NOT 1", AnyOf((AllOf((ONE, ALL)), NotThis(ONE)))),
        (b"OR 1 OR ALL FLAGGED 1", AllOf((AnyOf((ONE, ALL, FLAGGED)), ONE))),
        (b"OR or 1 ALL FLAGGED 1", AllOf((AnyOf((ONE, ALL, FLAGGED)), ONE))),
        (b"OR OR 1 ALL OR FLAGGED 1 ALL", AllOf((AnyOf((ONE, ALL, FLAGGED, ONE)), ALL))),
        (b'SUBJECT "or" ALL', AllOf((m.HeaderContains("subject", "or"), ALL))),
    ],
)
def test_keys(octets, expected):
    assert key(octets) == expected


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b" ",
        b"()",
        b"(ALL",
        b"ALL)",
        b"ALL ",
        b"FROB",
        b"FROB x",
        b"NOT",
        b"NOT ",
        b"OR ALL",
        b"OR ALL ",
        b"OR  ALL ALL",
        b"OR ALLALL",
        b"FROM",
        b"FROM ",
        b"HEADER x",
        b"HEADER x ",
        b"KEYWORD",
        b"KEYWORD \\Seen",
        b"UNKEYWORD (x)",
        b"LARGER x",
        b"MODSEQ",
        b"MODSEQ x",
        b"MODSEQ 9223372036854775808",
        b'MODSEQ "/flags/" all 1',
        b'MODSEQ "/flags/x" 1',
        b'MODSEQ "/flags/x" some 1',
        b'MODSEQ "/other/x" all 1',
        b"LARGER -1",
        b"LARGER 9223372036854775808",
        b"LARGER 99999999999999999999",
        b"BEFORE x",
        b"BEFORE 31-Feb-1994",
        b"BEFORE 0-Feb-1994",
        b"BEFORE 1-Foo-1994",
        b"BEFORE 1-Feb-0000",
        b"BEFORE 1-Feb-94",
        b'BEFORE "1-Feb-1994',
        b'BEFORE 1-Feb-1994"',
        b"UID",
        b"UID x",
        b"0",
        b"CHARSET",
        b"CHARSET UTF-8",
        b"CHARSET UTF-8 ",
        b"CHARSET (UTF-8) ALL",
        b"ALL CHARSET UTF-8",
        b"(" * 66 + b"ALL" + b")" * 66,
        b"(" * 50_000,
        b"NOT " * 70 + b"ALL",
        b"OR NOT " * 70 + b"ALL ALL",
        b"OR (" * 20_000,
    ],
)
def test_what_is_no_search(octets):
    with pytest.raises(BadSyntax):
        key(octets)


def test_nesting_has_a_limit_that_chains_of_or_do_not_count_for():
    assert key(b"(" * 60 + b"ALL" + b")" * 60) == ALL
    assert len(key(b"OR ALL " * 1000 + b"ALL").keys) == 1001
    assert len(key(b"OR " * 1000 + b"ALL" + b" ALL" * 1000).keys) == 1001


@pytest.mark.parametrize(
    "octets",
    [b"OR " * 20_000, b"OR ALL " * 2001 + b"ALL", b"ALL " * 2000 + b"ALL", b'BODY "x" ' * 50 + b"TEXT y"],
)
def test_a_program_may_cost_only_so_much(octets):
    with pytest.raises(Impossible) as caught:
        key(octets)
    assert caught.value.code == b"LIMIT"


@pytest.mark.parametrize(
    ("charset", "codec"),
    [
        (b"UTF-8", "utf-8"),
        (b"utf-8", "utf-8"),
        (b'"UTF-8"', "utf-8"),
        (b"ISO-2022-JP", "iso-2022-jp"),
        (b"Shift_JIS", "shift_jis"),
        (b"EUC-JP", "euc-jp"),
    ],
)
def test_texts_come_in_the_charset_named(charset, codec):
    octets = "日本語".encode(codec)
    assert key(b"CHARSET %b SUBJECT {%d}\r\n%b" % (charset, len(octets), octets)) == m.HeaderContains(
        "subject", "日本語"
    )


def test_quoted_text_may_have_eight_bits_and_a_list_a_last_space():
    assert key(b'CHARSET UTF-8 (SUBJECT "\xc3\xa4" )') == m.HeaderContains("subject", "ä")


def test_quoted_text_may_be_stateful():
    assert key(b'CHARSET ISO-2022-JP TEXT "\x1b$BF|\x1b(B"') == m.TextContains(m.TextPlace.TEXT, "日")


def test_latin_charsets():
    assert key(b"CHARSET ISO-8859-15 BODY {1}\r\n\xa4") == m.TextContains(m.TextPlace.BODY, "€")


def test_text_without_a_charset_may_be_utf_8():
    assert key(b"SUBJECT {2}\r\n\xc3\xa4") == m.HeaderContains("subject", "ä")


@pytest.mark.parametrize("octets", [b"CHARSET FROB ALL", b'CHARSET "" ALL', b"CHARSET base64 ALL", b"CHARSET idna ALL"])
def test_an_unknown_charset_is_refused_with_the_known_ones(octets):
    with pytest.raises(Impossible) as caught:
        key(octets)
    assert caught.value.code.startswith(b"BADCHARSET (US-ASCII UTF-8 ")


@pytest.mark.parametrize("octets", [b"CHARSET UTF-8 BODY {1}\r\n\xff", b"BODY {1}\r\n\xff"])
def test_text_that_is_wrong_in_its_charset_is_refused(octets):
    with pytest.raises(BadSyntax):
        key(octets)


NOW = 1_700_000_000


class SmallView:
    uids = UIDSet.of([5, 8, 9])

    def uids_at(self, numbers):
        return UIDSet.of(list(self.uids)[number - 1] for number in numbers)


def test_a_program_is_made_for_a_view():
    program = resolve(key(b"2:* NOT UID 8,99 OR FLAGGED OR ALL 1"), SmallView(), NOW)
    assert program == m.And(
        (
            m.UIDIn(UIDSet.of([8, 9])),
            m.Not(m.UIDIn(UIDSet.of([8]))),
            m.Or(FLAGGED, m.Or(ALL, m.UIDIn(UIDSet.of([5])))),
        )
    )


def test_a_long_chain_of_or_becomes_a_flat_tree():
    program = resolve(key(b"OR ALL " * 1023 + b"ALL"), SmallView(), NOW)
    depth = 0
    while isinstance(program, m.Or):
        depth, program = depth + 1, program.left
    assert depth == 10


def test_a_number_beyond_the_view_cannot_be_searched():
    with pytest.raises(NoSuchMessageNumber):
        resolve(key(b"NOT 4"), SmallView(), NOW)


def test_uid_search_answers_in_uids():
    assert parse_command(b"t UID SEARCH ALL").by_uid
    assert not parse_command(b"t SEARCH ALL").by_uid


@pytest.mark.parametrize("octets", [b"1", b"NOT 1", b"OR ALL (SEEN 1)"])
def test_numbers_are_found_among_the_keys(octets):
    assert names_numbers(key(octets))
    assert not names_numbers(key(octets.replace(b"1", b"UID 1")))


def test_an_age_becomes_a_point_in_time():
    assert resolve(key(b"OLDER 60"), SmallView(), NOW) == m.ReceivedUpTo(NOW - 60)
    assert resolve(key(b"YOUNGER 60"), SmallView(), NOW) == m.Not(m.ReceivedUpTo(NOW - 61))
