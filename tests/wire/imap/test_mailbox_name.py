"""Mailbox names in modified UTF-7."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_mail_node.wire.imap.mailbox_name import decode, decode_text, encode
from twisted_mail_node.wire.imap.refusal import Impossible

PAIRS = [
    (b"Sent", "Sent"),
    (b"", ""),
    (b"a &- b", "a & b"),
    (b"&-&-", "&&"),
    (b"~peter/mail/&U,BTFw-/&ZeVnLIqe-", "~peter/mail/台北/日本語"),
    (b"Entw&APw-rfe", "Entwürfe"),
    (b"&2D3eAA-", "\U0001f600"),
    (b"&AAE-", "\x01"),
]


@pytest.mark.parametrize(("octets", "name"), PAIRS)
def test_names_are_decoded_and_encoded(octets, name):
    assert decode(octets) == name
    assert encode(name) == octets


@pytest.mark.parametrize("octets", [b"INBOX", b"inbox", b"InBoX"])
def test_inbox_has_no_case(octets):
    assert decode(octets) == "INBOX"


@pytest.mark.parametrize(
    "octets",
    [
        b"a&b",  # a shift that is not closed
        b"&AGE-",  # ASCII in base64
        b"&U,BTFw-&ZeVnLIqe-",  # one run in two
        b"&A-",  # not a whole number of octets
        b"&AP-",  # half a character
        b"&APx-",  # bits left over
        b"&2D0-",  # a high surrogate alone
        b"&3gDYPQ-",  # surrogates in the wrong order
        b"&A*A-",
        b"\xc3\xa4",
        b"a\x01",
        b"a\x7f",
    ],
)
def test_what_is_no_correct_encoding_is_refused(octets):
    assert decode_text(octets) is None
    with pytest.raises(Impossible) as caught:
        decode(octets)
    assert caught.value.code == b"CANNOT"


@given(st.text())
def test_every_name_survives_the_round_trip(name):
    octets = encode(name)
    assert octets.isascii()
    assert decode_text(octets) == name


@given(st.binary(max_size=30))
def test_a_name_has_one_encoding(octets):
    name = decode_text(octets)
    assert name is None or encode(name) == octets


def test_a_name_that_is_no_text_can_still_be_written():
    assert encode("a\ud800b") == b"a&2AA-b"
