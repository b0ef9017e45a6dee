"""Lines out of octets, however they come."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_mail_node.wire.buffer import LineBuffer
from twisted_mail_node.wire.errors import LineTooLong

TOO_LONG = object()


def lines_of(buffer):
    found = []
    while True:
        try:
            line = buffer.take_line()
        except LineTooLong:
            found.append(TOO_LONG)
            continue
        if line is None:
            return found
        found.append(line)


@given(st.lists(st.sampled_from([b"a", b"\r", b"\n", b"\r\n", b"bcd"]), max_size=30), st.integers(1, 5))
def test_any_cutting_gives_the_same_lines(tokens, piece):
    data = b"".join(tokens)
    whole = LineBuffer(12)
    whole.feed(data)
    expected = lines_of(whole)
    cut, found = LineBuffer(12), []
    for start in range(0, len(data), piece):
        cut.feed(data[start : start + piece])
        found += lines_of(cut)
    assert found == expected
    assert [line for line in data.split(b"\r\n")[:-1] if len(line) <= 10] == [f for f in found if f is not TOO_LONG]


def test_an_endless_line_keeps_no_more_than_the_limit():
    buffer = LineBuffer(1000)
    for _ in range(1000):
        buffer.feed(b"x" * 1000)
        assert buffer.take_line() is None
        assert len(buffer) <= 1000
    assert buffer.skipped_octets == 1000 * 1000 - 1
    buffer.feed(b"\r\nnext\r\n")
    with pytest.raises(LineTooLong):
        buffer.take_line()
    assert buffer.skipped_octets == 0
    assert buffer.take_line() == b"next"


@pytest.mark.parametrize(("length", "fits"), [(8, True), (9, False)])
def test_the_limit_counts_crlf(length, fits):
    buffer = LineBuffer(10)
    buffer.feed(b"x" * length + b"\r\n")
    if fits:
        assert buffer.take_line() == b"x" * length
    else:
        with pytest.raises(LineTooLong):
            buffer.take_line()


def test_runs_of_octets_between_lines():
    buffer = LineBuffer(100)
    buffer.feed(b"one\r\n12345two\r\n")
    assert buffer.take_line() == b"one"
    assert buffer.take_up_to(5) == b"12345"
    buffer.unread(b"45")
    assert buffer.take_line() == b"45two"
    assert buffer.take_up_to(5) == b""


def test_clear_forgets_what_waits():
    buffer = LineBuffer(100)
    buffer.feed(b"STARTTLS\r\nMAIL FROM:<a@b>\r\n")
    assert buffer.take_line() == b"STARTTLS"
    assert buffer.clear() == 17
    assert buffer.take_line() is None


def test_octets_one_at_a_time_cost_linear_time():
    buffer = LineBuffer(10_000_000)
    for _ in range(300_000):
        buffer.feed(b"x")
        buffer.take_line()
    assert len(buffer) == 300_000
