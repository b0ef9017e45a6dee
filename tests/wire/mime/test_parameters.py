"""Structured fields: values, parameters, comments."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_mail_node.wire.mime.parameters import joined, media_type, parameter, value_and_parameters, without_comments


@pytest.mark.parametrize(
    ("raw", "value", "parameters"),
    [
        (b" text/plain \r\n", b"text/plain", ()),
        (b"text/plain; charset=utf-8;format=flowed", b"text/plain", ((b"charset", b"utf-8"), (b"format", b"flowed"))),
        (b'a;\r\n b="c; d \\"e\\""; f = g ', b"a", ((b"b", b'c; d "e"'), (b"f", b"g"))),
        (b"a (comment; x=y); b=c (d (e) \\) f)", b"a", ((b"b", b"c"),)),
        (b'a; b="(kept)"; c="(x', b"a", ((b"b", b"(kept)"), (b"c", b"(x"))),
        (b'a; b="never closed', b"a", ((b"b", b"never closed"),)),
        (b"a; b*0=one; b*1=two", b"a", ((b"b*0", b"one"), (b"b*1", b"two"))),
        (b"a; =b; c; d=", b"a", ((b"d", b""),)),
        (b"; a=b", b"", ((b"a", b"b"),)),
        (b"a) b", b"a) b", ()),
    ],
)
def test_values_and_parameters(raw, value, parameters):
    assert value_and_parameters(raw) == (value, parameters)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"text/plain", (b"text", b"plain", ())),
        (b"Text / HTML; a=b", (b"Text", b"HTML", ((b"a", b"b"),))),
        (b"text", None),
        (b"/plain", None),
        (b"", None),
    ],
)
def test_media_types(raw, expected):
    assert media_type(raw) == expected


def test_the_first_parameter_of_a_name_counts():
    parameters = ((b"A", b"1"), (b"a", b"2"))
    assert parameter(parameters, b"a") == b"1"
    assert parameter(parameters, b"b") is None


def test_there_is_an_end_to_parameters():
    assert len(value_and_parameters(b"a" + b";b=c" * 10_000)[1]) == 500


@pytest.mark.parametrize("sign", [b"(", b";", b'"', b"\\", b'; a="', b"=", b" ", b"()"])
def test_long_nonsense_takes_linear_time(sign):
    value_and_parameters(b"a;" + sign * 100_000)
    without_comments(sign * 100_000)


@given(st.text('ab=;"()\\ \r\n/', max_size=40).map(str.encode) | st.binary(max_size=40))
def test_whatever_comes_is_read(raw):
    value_and_parameters(raw)
    media_type(raw)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ((), ()),
        (((b"a", b"b"),), ((b"a", b"b"),)),
        # The examples of RFC 2231 §3 and §4.1.
        (
            ((b"access-type", b"URL"), (b"URL*0", b"ftp://"), (b"URL*1", b"cs.utk.edu/pub/moore/")),
            ((b"access-type", b"URL"), (b"URL", b"ftp://cs.utk.edu/pub/moore/")),
        ),
        (
            (
                (b"title*0*", b"us-ascii'en'This%20is%20even%20more%20"),
                (b"title*1*", b"%2A%2A%2Afun%2A%2A%2A%20"),
                (b"title*2", b"isn't it!"),
            ),
            ((b"title*", b"us-ascii'en'This%20is%20even%20more%20%2A%2A%2Afun%2A%2A%2A%20isn%27t%20it!"),),
        ),
        # In any order and any case, and what does not follow is left away.
        (((b"N*1", b"b"), (b"n*0", b"a"), (b"n*3", b"d"), (b"n*0", b"x")), ((b"N", b"ab"),)),
        (((b"n*0", b"a"), (b"n*1*", b"%20")), ((b"n*", b"''a%20"),)),
        # What is no continuation stays.
        (
            ((b"n*1", b"b"), (b"n*", b"utf-8''x"), (b"n*00", b"c")),
            ((b"n*1", b"b"), (b"n*", b"utf-8''x"), (b"n*00", b"c")),
        ),
        # So does what is there twice, whatever else there is.
        (((b"n", b"a"), (b"n", b"b"), (b"m*0", b"c")), ((b"n", b"a"), (b"n", b"b"), (b"m", b"c"))),
        (((b"n", b"a"), (b"n*0", b"b"), (b"m*", b"''c")), ((b"n", b"a"), (b"n", b"b"), (b"m*", b"''c"))),
    ],
)
def test_continuations_are_joined(written, expected):
    assert joined(written) == expected
    assert joined(expected) == expected


@given(st.lists(st.tuples(st.text("an*01", min_size=1, max_size=4).map(str.encode), st.binary(max_size=3)), max_size=6))
def test_joining_never_fails_and_leaves_nothing_to_join(parameters):
    once = joined(tuple(parameters))
    assert len(once) <= len(parameters)
    assert joined(once) == once
