from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_mail_node.mail.columns import InternalDate
from twisted_mail_node.moving.formats import mbox_framing
from twisted_mail_node.moving.formats.mbox_framing import NoMbox, separator_date, separator_line, spans_of

FROM = b"From ann@a.test Tue Nov 14 22:13:20 2023\n"
AT = InternalDate(1_700_000_000)


@pytest.mark.parametrize(
    ("line", "date"),
    [
        (b"From a Tue Nov 14 22:13:20 2023\n", AT),
        (b"From a Tue Nov 14 22:13:20 2023\r\n", AT),
        (b"From a@b Tue, Nov 14 22:13:20 2023\n", AT),
        (b"From MAILER-DAEMON Tue Nov 14 23:13:20 +0100 2023\n", InternalDate(1_700_000_000, 60)),
        (b"From a Tue Nov 14 23:13:20 2023 +0100\n", InternalDate(1_700_000_000, 60)),
        (b"From a Tue Nov 14 22:13:20 GMT 2023\n", AT),
        (b'From "a b"@c Wed Nov  1 22:13 2023 remote from there\n', InternalDate(1_698_876_780)),
        (b"From a Tue Nov 14 22:13:20 2023 +9999\n", AT),
        (b"From - Tue Nov 14 22:13:20 2023\n", AT),
        (b"From here on nothing is as it was\n", None),
        (b"From a Tue Nov 14 22:13:20 99999\n", None),
        (b">From a Tue Nov 14 22:13:20 2023\n", None),
        (b"from a Tue Nov 14 22:13:20 2023\n", None),
        (b"From \n", None),
        (b"", None),
    ],
)
def test_a_separator_has_a_date(line, date):
    assert separator_date(line) == date


@given(st.integers(0, 253_402_300_799))
def test_a_separator_of_ours_is_read(seconds):
    assert separator_date(separator_line(b"MAILER-DAEMON", InternalDate(seconds, 90))) == InternalDate(seconds)


def parts(data):
    return [data[span.begin : span.end] for span in spans_of(io.BytesIO(data))]


@pytest.mark.parametrize(
    ("data", "messages"),
    [
        (b"", []),
        (b"\n\r\n", []),
        (FROM + b"A: 1\n\nx\n\n" + FROM + b"A: 2\n\ny\n\n", [b"A: 1\n\nx\n", b"A: 2\n\ny\n"]),
        # Without an empty line in front, and at the end.
        (FROM + b"A: 1\n\nx\n" + FROM + b"A: 2\n\ny", [b"A: 1\n\nx\n", b"A: 2\n\ny"]),
        (b"\n\n" + FROM + b"A: 1\n\nx\n\n\n\n", [b"A: 1\n\nx\n\n\n"]),
        (FROM.replace(b"\n", b"\r\n") + b"A: 1\r\n\r\nx\r\n\r\n", [b"A: 1\r\n\r\nx\r\n"]),
        # No separator: no date.
        (FROM + b"A: 1\n\nFrom me to you\n\nFrom \n\n", [b"A: 1\n\nFrom me to you\n\nFrom \n"]),
        (FROM + b"A: 1\n\n>" + FROM + b"\n", [b"A: 1\n\n>" + FROM]),
        # A message of nothing but a header keeps what ends it.
        (FROM + b"A: 1\n\n" + FROM + b"A: 2\n\n\n", [b"A: 1\n\n", b"A: 2\n\n"]),
        (FROM + FROM + b"\n" + FROM + b"\n\n", [b"", b"\n", b"\n"]),
        # Content-Length, believed where another message begins, or the file ends.
        (
            FROM + b"Content-Length: %d\n\n" % len(FROM) + FROM + b"\n" + FROM + b"A: 2\n\n",
            [b"Content-Length: %d\n\n" % len(FROM) + FROM, b"A: 2\n\n"],
        ),
        (FROM + b"A: 1\ncontent-length: 4\n\nabc\n", [b"A: 1\ncontent-length: 4\n\nabc\n"]),
        (
            FROM + b"Content-Length: 2\n\nabc\n\n" + FROM + b"A: 2\n\ny\n\n",
            [b"Content-Length: 2\n\nabc\n", b"A: 2\n\ny\n"],
        ),
        (FROM + b"Content-Length: 999999999999999\n\nabc\n\n", [b"Content-Length: 999999999999999\n\nabc\n"]),
    ],
)
def test_messages_are_told_apart(data, messages):
    assert parts(data) == messages


@pytest.mark.parametrize("data", [b"A: 1\n\nx\n", b"From here\nA: 1\n\n", b"\n\nx"])
def test_what_is_no_mbox_is_told(data):
    with pytest.raises(NoMbox):
        parts(data)


@pytest.mark.parametrize("window", [70_000, 100_000])
def test_the_window_moves_over_large_files(window, monkeypatch):
    monkeypatch.setattr(mbox_framing, "WINDOW_OCTETS", window)
    messages = [b"A: %d\n\n%s\n" % (number, b"x" * (number * 7919 % 200_000)) for number in range(60)]
    data = b"".join(FROM + message + b"\n" for message in messages)
    assert parts(data) == messages


@given(
    st.lists(st.sampled_from([FROM, b"\n", b"\r\n", b"From ", b"A: 1\n", b"x", b"Content-Length: 3\n"]), max_size=12)
)
def test_every_octet_is_in_one_message_at_most(pieces):
    data = FROM + b"".join(pieces)
    end = 0
    for span in spans_of(io.BytesIO(data)):
        assert end <= span.begin <= span.end <= len(data)
        end = span.end
