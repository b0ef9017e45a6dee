"""Signatures of kept texts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_mail_node.wire.mime import signature
from twisted_mail_node.wire.mime.search_text import encoded
from twisted_mail_node.wire.mime.signature import numbers_of, numbers_of_fields, pieces, wanted

_TEXT = st.text("aB \n日本語é\0", max_size=40)


@given(_TEXT, _TEXT, _TEXT)
def test_whatever_is_in_a_text_has_no_number_that_the_text_has_not(before, part, behind):
    assert wanted(encoded(part)) <= numbers_of(encoded(before + part + behind))
    fields = iter([("subject", before + part + behind)])
    assert wanted(encoded(part), "subject") <= numbers_of_fields(fields)


@pytest.mark.parametrize(("text", "some"), [("abc", True), ("日本", True), ("日", False), ("ab", False), ("", False)])
def test_three_letters_and_two_characters_narrow(text, some):
    assert bool(wanted(encoded(text))) is some


def test_two_japanese_characters_are_known_together():
    assert not wanted(encoded("東京")) <= numbers_of(encoded("京都、大東"))


def test_fields_that_are_asked_for_by_name_have_numbers_of_their_own():
    assert not wanted(b"ALICE", "from") & wanted(b"ALICE", "to")
    assert wanted(b"ALICE", "x-other") == wanted(b"ALICE")


@given(st.binary(max_size=60), st.integers(1, 9))
def test_pieces_have_the_numbers_of_the_whole(text, size):
    before, signature.SLICE_OCTETS = signature.SLICE_OCTETS, size
    try:
        found = set().union(*(numbers_of(piece) for piece in pieces(text)))
    finally:
        signature.SLICE_OCTETS = before
    assert numbers_of(text) <= found


def test_numbers_are_the_same_on_every_machine(monkeypatch):
    """As a machine would make them on which the first octet of a number is the greatest."""
    text = encoded("one 日本 word")
    other = bytes(text[::-1])
    words = [int.from_bytes(other[at : at + 4], "big") for at in range(len(other) - 3)]
    assert {(w & 0xFFFFFF if not w & 0x808080 else w) % signature.MODULUS for w in words} <= numbers_of(text)
