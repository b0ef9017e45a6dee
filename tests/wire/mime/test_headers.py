"""Header blocks: fields, their octets, and the choice of HEADER.FIELDS."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_mail_node.wire.mime.headers import FieldChoice, header_size, split_fields, unfold, values_of

BLOCK = b"From: a@b\r\nSubject: one\r\n\ttwo\r\nX-Empty:\r\nno field here\r\nfrom : c@d\r\n\r\n"


@pytest.mark.parametrize(
    ("message", "size"),
    [
        (BLOCK + b"body\r\n\r\n", len(BLOCK)),
        (b"\r\nbody", 2),
        (b"\nbody", 1),
        (b"A: b\n\nbody", 6),
        (b"A: b\r\n", 6),
        (b"", 0),
        (b"A: b\r\n \r\n\r\nx", 11),
    ],
)
def test_a_header_ends_behind_its_empty_line(message, size):
    assert header_size(message) == size


def test_fields_have_lower_names_raw_values_and_offsets():
    fields = split_fields(BLOCK)
    assert [(field.name, field.value) for field in fields] == [
        (b"from", b" a@b"),
        (b"subject", b" one\r\n\ttwo"),
        (b"x-empty", b""),
        (b"from", b" c@d"),
    ]
    assert BLOCK[fields[1].start : fields[1].end] == b"Subject: one\r\n\ttwo\r\n"


def test_chosen_values_come_in_order():
    found = values_of(BLOCK, frozenset([b"from", b"x-empty"]))
    assert [(name, unfold(value)) for name, value in found] == [(b"from", b"a@b"), (b"x-empty", b""), (b"from", b"c@d")]


def test_unfolding_takes_line_ends_only():
    assert unfold(b" one\r\n\ttwo \r\n") == b"one\ttwo"


@pytest.mark.parametrize(
    ("names", "inverted", "expected"),
    [
        ([b"FROM"], False, b"From: a@b\r\nfrom : c@d\r\n\r\n"),
        ([b"subject", b"nothing"], False, b"Subject: one\r\n\ttwo\r\n\r\n"),
        ([b"nothing"], False, b"\r\n"),
        ([], False, b"\r\n"),
        ([b"from"], True, b"Subject: one\r\n\ttwo\r\nX-Empty:\r\n\r\n"),
        ([], True, b"From: a@b\r\nSubject: one\r\n\ttwo\r\nX-Empty:\r\nfrom : c@d\r\n\r\n"),
        ([b"a b", b"fro", b".*"], False, b"\r\n"),
    ],
)
def test_chosen_fields_keep_octets_and_the_empty_line(names, inverted, expected):
    assert FieldChoice(names, inverted).of(BLOCK) == expected


def test_a_header_without_empty_line_gets_none():
    assert FieldChoice([b"a"]).of(b"A: b\r\n") == b"A: b\r\n"
    assert FieldChoice([b"a"]).of(b"A: b") == b"A: b"
    assert FieldChoice([b"c"]).of(b"A: b") == b""


def test_line_feeds_alone_stay_alone():
    assert FieldChoice([b"a"]).of(b"A: b\nC: d\n\n") == b"A: b\n\n"
    assert FieldChoice([b"a"]).of(b"\n") == b"\n"


@given(st.binary(max_size=300) | st.text("A:b \r\n\t", max_size=80).map(str.encode), st.booleans())
def test_whatever_octets_come_choices_are_part_of_the_block(block, inverted):
    fields = split_fields(block)
    assert all(0 <= field.start < field.end <= len(block) for field in fields)
    every = FieldChoice([], inverted=True).of(block)
    assert len(every) <= len(block) + 1
    FieldChoice([b"a", b"b"], inverted).of(block)
    assert header_size(block) <= len(block)
