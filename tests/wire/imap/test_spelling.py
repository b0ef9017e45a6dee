"""Names and strings in seven bits and in UTF-8."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_mail_node.wire.imap.enabled import Extension
from twisted_mail_node.wire.imap.refusal import BadSyntax, Impossible
from twisted_mail_node.wire.imap.spelling import Spelling, spelling_of
from twisted_mail_node.wire.imap.tokens import Tokens

SEVEN_BITS, UTF8 = Spelling.SEVEN_BITS, Spelling.UTF8
ENABLED = {SEVEN_BITS: (), UTF8: (Extension.UTF8_ACCEPT,)}


@pytest.mark.parametrize(
    ("enabled", "spelling"),
    [
        ((), SEVEN_BITS),
        ((Extension.CONDSTORE, Extension.UIDONLY), SEVEN_BITS),
        ((Extension.UTF8_ACCEPT,), UTF8),
        ((Extension.IMAP4REV2,), UTF8),
    ],
)
def test_what_is_enabled_tells_how_is_spelled(enabled, spelling):
    assert spelling_of(enabled) is spelling


@pytest.mark.parametrize(
    ("spelling", "name", "octets"),
    [
        (SEVEN_BITS, "INBOX", b"INBOX"),
        (SEVEN_BITS, "日 本", b'"&ZeU- &Zyw-"'),
        (SEVEN_BITS, "a&b", b"a&-b"),
        (UTF8, "INBOX", b"INBOX"),
        (UTF8, "a&b", b"a&b"),
        (UTF8, "a b", b'"a b"'),
        (UTF8, "日 本", '"日 本"'.encode()),
        (UTF8, 'ä"\\', b'"\xc3\xa4\\"\\\\"'),
        (UTF8, "a\ud800", b"a?"),
        (UTF8, "ä" * 501, b"{1002}\r\n" + b"\xc3\xa4" * 501),
    ],
)
def test_names_are_written(spelling, name, octets):
    assert spelling.mailbox(name) == octets


def test_a_prefix_is_never_bare():
    assert SEVEN_BITS.prefix("ä/") == b'"&AOQ-/"'
    assert UTF8.prefix("a/") == b'"a/"'
    assert UTF8.prefix("ä/") == b'"\xc3\xa4/"'


@pytest.mark.parametrize(
    ("spelling", "octets", "written"),
    [
        (SEVEN_BITS, b"\xc3\xa4", b"{2}\r\n\xc3\xa4"),
        (UTF8, b"\xc3\xa4", b'"\xc3\xa4"'),
        (UTF8, b"\xe4", b"{1}\r\n\xe4"),
        (UTF8, b"\xc3\xa4\r\n", b"{4}\r\n\xc3\xa4\r\n"),
    ],
)
def test_strings_are_written(spelling, octets, written):
    assert spelling.string(octets) == written


@pytest.mark.parametrize(
    ("spelling", "octets", "name"),
    [
        (SEVEN_BITS, b"inbox", "INBOX"),
        (SEVEN_BITS, b"Entw&APw-rfe", "Entwürfe"),
        (SEVEN_BITS, "Entwürfe".encode(), "Entwürfe"),
        (SEVEN_BITS, "ä&-".encode(), "ä&-"),
        (UTF8, b"InBox", "INBOX"),
        (UTF8, b"Entw&APw-rfe", "Entw&APw-rfe"),
        (UTF8, "Entwürfe".encode(), "Entwürfe"),
    ],
)
def test_names_are_read(spelling, octets, name):
    assert spelling.name_of(octets) == name


@pytest.mark.parametrize(("spelling", "octets"), [(SEVEN_BITS, b"a&b"), (SEVEN_BITS, b"\xe4"), (UTF8, b"\xe4")])
def test_what_spells_no_name_is_refused(spelling, octets):
    assert spelling.text_of(octets) is None
    assert spelling.lenient_text_of(octets) == octets.decode("latin-1")
    with pytest.raises(Impossible) as caught:
        spelling.name_of(octets)
    assert caught.value.code == b"CANNOT"


@pytest.mark.parametrize("spelling", Spelling)
@given(name=st.text(st.characters(exclude_categories=("Cs",)), min_size=1))
def test_a_name_that_is_written_can_be_read(spelling, name):
    tokens = Tokens(spelling.mailbox(name), 0, ENABLED[spelling])
    if "\0" in name and spelling is UTF8:
        return  # no mailbox has such a name, and no string such an octet
    assert tokens.mailbox() == ("INBOX" if name.upper() == "INBOX" else name)
    tokens.end()


def test_quotes_hold_utf8_or_nothing_beyond_ascii():
    assert Tokens(b'"\xc3\xa4"').string() == b"\xc3\xa4"
    with pytest.raises(BadSyntax, match="not UTF-8"):
        Tokens(b'"\xe4"').string()
