"""Strings without quotes, and free text."""

from __future__ import annotations

import pytest

from twisted_mail_node.wire.imap.strings import astring, text, text_utf8


@pytest.mark.parametrize(
    ("octets", "written"),
    [
        (b"Sent", b"Sent"),
        (b"a]b", b"a]b"),
        (b"", b'""'),
        (b"a b", b'"a b"'),
        (b"nil", b'"nil"'),
        (b"a*", b'"a*"'),
        (b'a"\\', b'"a\\"\\\\"'),
        (b"a\r\n", b"{3}\r\na\r\n"),
        (b"\xe9\0", b"{1}\r\n\xe9"),
    ],
)
def test_an_astring_is_bare_where_it_can_be(octets, written):
    assert astring(octets) == written


def test_free_text_stays_on_its_line():
    assert text("a\r\n* BYE \xe9\0[x]") == b"a??* BYE ??[x]"
    assert text_utf8("a\r\n* BYE \xe9\0[x]\x85\u2028") == b"a??* BYE \xc3\xa9?[x]??"
