"""APPEND up to its message."""

from __future__ import annotations

import pytest

from twisted_mail_node.mail.columns import InternalDate
from twisted_mail_node.mail.flags import NO_FLAGS, Flags
from twisted_mail_node.wire.imap.commands.append import AppendMessage, parse_announcement
from twisted_mail_node.wire.imap.grammar import parse_command
from twisted_mail_node.wire.imap.literals import Literal
from twisted_mail_node.wire.imap.refusal import BadSyntax
from twisted_mail_node.wire.imap.tokens import Tokens

SEEN = Flags.from_names(["\\Seen"])
NEW_YEAR = InternalDate(1_577_833_200, 60)


def announced(octets):
    return parse_announcement(b"t", Tokens(octets), Literal(9, True))


@pytest.mark.parametrize(
    ("octets", "mailbox", "flags", "date"),
    [
        (b" x {9}\r\n", "x", NO_FLAGS, None),
        (b" inbox {9+}\r\n", "INBOX", NO_FLAGS, None),
        (b" {3}\r\na b {9}\r\n", "a b", NO_FLAGS, None),
        (b" x () {9}\r\n", "x", NO_FLAGS, None),
        (b" x (\\Seen) {9}\r\n", "x", SEEN, None),
        (b' x " 1-Jan-2020 00:00:00 +0100" {9}\r\n', "x", NO_FLAGS, NEW_YEAR),
        (b' x "1-Jan-2020 00:00:00 +0100" {9}\r\n', "x", NO_FLAGS, NEW_YEAR),
        (b' "x" (\\Seen ) "01-jan-2020 00:00:00 +0100" {9}\r\n', "x", SEEN, NEW_YEAR),
    ],
)
def test_a_message_is_announced(octets, mailbox, flags, date):
    assert announced(octets) == AppendMessage(b"t", mailbox, flags, date, 9, True)


@pytest.mark.parametrize("octets", [b" {9}\r\n", b" {9+}\r\n"])
def test_a_literal_may_be_the_name_of_the_mailbox(octets):
    assert announced(octets) is None


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b" ",
        b" x",
        b" x ",
        b" x  {9}\r\n",
        b" x y {9}\r\n",
        b" x ~{9}\r\n",
        b" x (\\Seen){9}\r\n",
        b" x (\\Recent) {9}\r\n",
        b" x (\\Seen) {1}\r\na {9}\r\n",
        b" x (\\Seen {9}\r\n",
        b' x "99-Jan-2020 00:00:00 +0100" {9}\r\n',
        b' x "01-Foo-2020 00:00:00 +0100" {9}\r\n',
        b' x "01-Jan-2020 24:00:00 +0100" {9}\r\n',
        b' x "01-Jan-2020 00:60:00 +0100" {9}\r\n',
        b' x "01-Jan-2020 00:00:61 +0100" {9}\r\n',
        b' x "01-Jan-2020 00:00:00 +2400" {9}\r\n',
        b' x "01-Jan-2020 00:00:00 +0060" {9}\r\n',
        b' x "01-Jan-2020 00:00:00 0100" {9}\r\n',
        b' x "01-Jan-2020 00:00:00" {9}\r\n',
        b' x "01-Jan-2020 00:00:00 +0100" (\\Seen) {9}\r\n',
    ],
)
def test_what_announces_no_message(octets):
    with pytest.raises(BadSyntax):
        announced(octets)


@pytest.mark.parametrize("octets", [b"t APPEND x", b"t APPEND x y", b't APPEND x "message"', b"t APPEND x {3}\r\nabc"])
def test_a_message_must_be_a_literal(octets):
    with pytest.raises(BadSyntax):
        parse_command(octets)


@pytest.mark.parametrize(
    ("text", "seconds", "zone"),
    [
        (b" 1-Jan-1970 00:00:00 +0000", 0, 0),
        (b"31-Dec-1969 23:59:59 +0000", -1, 0),
        (b"01-Jan-1970 00:00:00 -0530", 19_800, -330),
        (b"29-Feb-2024 12:30:60 +1245", 1_709_163_960, 765),
    ],
)
def test_dates_with_zones(text, seconds, zone):
    assert announced(b' x "%b" {9}\r\n' % text).internal_date == InternalDate(seconds, zone)
