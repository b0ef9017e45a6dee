"""Strings on the wire."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_mail_node.wire.mime.strings import nstring, string


@pytest.mark.parametrize(
    ("value", "wire"),
    [
        (b"", b'""'),
        (b"plain (text) %*", b'"plain (text) %*"'),
        (b'a "b" \\c', b'"a \\"b\\" \\\\c"'),
        (b"a\r\nb", b"{4}\r\na\r\nb"),
        (b"\xc3\xa9", b"{2}\r\n\xc3\xa9"),
        (b"a\0b", b"{2}\r\nab"),
        (b"x" * 1000, b'"' + b"x" * 1000 + b'"'),
        (b"x" * 1001, b"{1001}\r\n" + b"x" * 1001),
    ],
)
def test_strings(value, wire):
    assert string(value) == wire
    assert nstring(value) == wire


def test_nothing_is_nil():
    assert nstring(None) == b"NIL"


@given(st.binary(max_size=50))
def test_a_string_is_quoted_or_counted(value):
    wire = string(value)
    if wire.startswith(b'"'):
        assert wire.isascii()
        assert not set(wire) & set(b"\r\n\0")
    else:
        head, octets = wire.split(b"\r\n", 1)
        assert head == b"{%d}" % len(octets)
        assert octets == value.replace(b"\0", b"")
