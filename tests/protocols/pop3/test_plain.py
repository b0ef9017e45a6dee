"""Which messages are sent as they are: none of which the surrogate would be another."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_mail_node.protocols.pop3.plain import is_plain
from twisted_mail_node.wire.mime.surrogate import surrogate_of


@pytest.mark.parametrize(
    ("content", "in_utf8", "in_ascii"),
    [
        (b"A: 1\r\n\r\nb\r\n", True, True),
        (b"A: 1\r\n\r\n\xc3\xbc\r\n", True, False),
        (b"A: 1\n", False, False),
        (b"A: 1\r", False, False),
        (b"A: \n\r", False, False),
        (b"A: 1\0\r\n", False, False),
        (b"", True, True),
    ],
)
def test_what_is_plain(content, in_utf8, in_ascii):
    assert is_plain(content, ascii_headers=False) is in_utf8
    assert is_plain(content, ascii_headers=True) is in_ascii


CONTENT = st.lists(
    st.sampled_from([b"\r\n", b"\n", b"\r", b"\0", b"\xc3\xbc", b"a", b".", b"Subject: "]), max_size=12
).map(b"".join)


@given(CONTENT, st.booleans())
def test_what_is_plain_is_its_own_surrogate(content, ascii_headers):
    if is_plain(content, ascii_headers=ascii_headers):
        assert surrogate_of(content, ascii_headers=ascii_headers) == content


@given(CONTENT)
def test_lines_of_ascii_are_plain(content):
    made = content.replace(b"\r\n", b"\n").replace(b"\r", b"").replace(b"\n", b"\r\n").replace(b"\0", b"")
    assert is_plain(made, ascii_headers=False)
    assert is_plain(made, ascii_headers=True) is made.isascii()
