from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_mail_node.mail.columns import InternalDate
from twisted_mail_node.mail.flags import NO_FLAGS, Flags
from twisted_mail_node.moving.formats.mbox_header import Base, OwnEntry, base_line, own_lines, read_entry

OWN = OwnEntry(bytes(range(16)), InternalDate(-5, -90), 42, True)


@pytest.mark.parametrize(
    ("header", "flags"),
    [
        (b"Subject: x\nStatus: RO\n\n", ("\\Seen",)),
        (b"Status: O\nX-Status: AFDT\nSubject: x\n\n", ("\\Answered", "\\Flagged", "\\Deleted", "\\Draft")),
        (b"STATUS:R\r\nx-status: F\r\n\r\n", ("\\Seen", "\\Flagged")),
        (b"X-Keywords: work  $Label1 (no)\n more\n\n", ("work", "$Label1", "more")),
        (b"Status: ?\xff\n\n", ()),
        (b"Subject: x\n\nStatus: RO\n", ()),
        (b"Subject: Status: RO\n\n", ()),
        (b"", ()),
    ],
)
def test_flags_are_read(header, flags):
    assert read_entry(header, False).flags == Flags.from_names(flags)


def test_what_programs_wrote_is_taken_away_and_nothing_else():
    header = (
        b"X-IMAPbase: 0000000077 0000000120 work\nReceived: from a\n by b\nStatus: RO\nX-UID: 12\n"
        b"X-Keywords: a\n b\nSubject: Status: x\nX-Status-More: 1\nContent-Length: 3\n\nbody"
    )
    entry = read_entry(header, True)
    assert entry.header == b"Received: from a\n by b\nSubject: Status: x\nX-Status-More: 1\n\n"
    assert header[entry.length :] == b"body"
    assert (entry.uid, entry.base) == (12, Base(77, 121))
    assert b"Content-Length" in read_entry(header, False).header


def test_a_message_without_a_headers_end_is_all_header():
    entry = read_entry(b"Subject: x\nStatus: R\nno field", False)
    assert (entry.header, entry.length, entry.own) == (b"Subject: x\nno field", 29, None)


@pytest.mark.parametrize(
    "line", [b"X-UID: 0\n", b"X-UID: x\n", b"X-UID: 4294967295\n", b"X-IMAP: 1\n", b"X-IMAP: 0 1\n", b"X-IMAP: a b\n"]
)
def test_numbers_that_cannot_be_are_passed_over(line):
    entry = read_entry(line + b"\n", False)
    assert (entry.uid, entry.base) == (None, None)


@pytest.mark.parametrize("flags", [NO_FLAGS, Flags.from_names(["\\Seen", "\\Draft", "\\Deleted", "$Label1", "work"])])
@pytest.mark.parametrize("base", [b"", base_line(Base(77, 121))])
def test_our_lines_are_read_and_taken_away(flags, base):
    header = b"Subject: x\nStatus: kept\nX-UID: 5\n"
    entry = read_entry(header + base + own_lines(flags, 1234, OWN) + b"\nbody\n\nStatus: R", False)
    assert (entry.flags, entry.uid, entry.own, entry.header) == (flags, 1234, OWN, header + b"\n")
    assert entry.base == (Base(77, 121) if base else None)


def test_lines_like_ours_elsewhere_are_not_taken_for_ours():
    lines = own_lines(NO_FLAGS, 1234, OWN)
    assert read_entry(b"Subject: x\n\n" + lines + b"\n", False).own is None
    assert read_entry(lines + b"Subject: x\n\n", False).own is None


@given(st.binary(max_size=200))
def test_nothing_that_stands_there_breaks_it(data):
    entry = read_entry(data, True)
    assert 0 <= entry.length <= len(data)
    assert len(entry.header) <= entry.length
