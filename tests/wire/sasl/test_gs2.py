"""The GS2 header, and the names in it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_mail_node.wire.sasl.gs2 import GS2Header, decode_name, parse_header


@pytest.mark.parametrize(
    ("message", "header"),
    [
        (b"n,,n=user,r=x", GS2Header("", False, "", b"n,,")),
        (b"y,,n=user,r=x", GS2Header("", True, "", b"y,,")),
        (b"p=tls-exporter,,n=user", GS2Header("tls-exporter", False, "", b"p=tls-exporter,,")),
        (b"n,a=user@example.com,\1host", GS2Header("", False, "user@example.com", b"n,a=user@example.com,")),
        (b"n,a=,n=user", GS2Header("", False, "", b"n,a=,")),
        (b"n,a=a=2Cb=3Dc,", GS2Header("", False, "a,b=c", b"n,a=a=2Cb=3Dc,")),
        ("n,a=jö,".encode(), GS2Header("", False, "jö", "n,a=jö,".encode())),
    ],
)
def test_header_is_read(message, header):
    assert parse_header(message) == header


@pytest.mark.parametrize(
    "message",
    [b"", b"n", b"n,", b"n,x,", b"n,a=a=2c,", b"n,a=a=,", b"n,a=\xff,", b"n,a=a\0,", b"N,,", b"x,,", b"p=,,",
     b"p=a b,,", b"F,n,,", b" n,,", b"n,a=" + b"a" * 641 + b","],
)  # fmt: skip
def test_what_is_no_header_is_refused(message):
    assert parse_header(message) is None


@given(st.text(st.characters(exclude_characters="\0\r\n", exclude_categories=["Cs"]), min_size=1, max_size=100))
def test_any_name_is_read_as_it_was_escaped(name):
    assert decode_name(name.replace("=", "=3D").replace(",", "=2C").encode()) == name
