"""Addresses and ids as parameters of DSN hold them (RFC 3461 §4, RFC 6533 §3)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_mail_node.mail.address import Address
from twisted_mail_node.wire.smtp.original_recipient import (
    in_ascii,
    original_recipient,
    read_original_recipient,
    read_xtext,
)


@pytest.mark.parametrize(
    ("address", "value"),
    [
        (Address("Bob", "example.com"), "rfc822;Bob@example.com"),
        (Address("a+b=c", "b.test"), "rfc822;a+2Bb+3Dc@b.test"),
        (Address("a b", "b.test"), 'rfc822;"a+20b"@b.test'),
        (Address("jürgen", "b.test"), "utf-8;jürgen@b.test"),
        (Address("ü+x y", "bücher.test"), 'utf-8;"ü\\x{2B}x\\x{20}y"@bücher.test'),
    ],
)
def test_an_address_is_written_so_that_it_is_read_again(address, value):
    assert original_recipient(address) == value
    assert read_original_recipient(value) == (value.partition(";")[0], str(address))
    assert read_original_recipient(in_ascii(value)) == (value.partition(";")[0], str(address))


def test_what_is_beyond_ascii_is_embedded_for_servers_without_smtputf8():
    assert in_ascii("utf-8;jürgen@bücher.test") == "utf-8;j\\x{FC}rgen@b\\x{FC}cher.test"
    assert in_ascii("utf-8;例@b.test") == "utf-8;\\x{4F8B}@b.test"
    assert in_ascii("rfc822;a+2Bb@b.test") == "rfc822;a+2Bb@b.test"


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("QQ314159", "QQ314159"),
        ("a+2Bb+20c", "a+b c"),
        ("a+0Ab", "a+0Ab"),
        ("a+FFb", "a+FFb"),
        ("a+2bb", "a+2bb"),
        ("j+C3+B6rg", "jörg"),
    ],
)
def test_xtext_is_read_where_something_printable_comes_of_it(text, meant):
    assert read_xtext(text) == meant


@pytest.mark.parametrize(
    ("value", "meant"),
    [
        ("UTF-8;a\\x{20}b", ("UTF-8", "a\\x{20}b")),
        ("utf-8;a\\x{D800}@b.test", ("utf-8", "a\\x{D800}@b.test")),
        ("utf-8;a\\x{110000}@b.test", ("utf-8", "a\\x{110000}@b.test")),
        ("utf-8;a\\x{10}@b.test", ("utf-8", "a\\x{10}@b.test")),
        ("x400;/C+3Dx+2F", ("x400", "/C=x/")),
        ("x400;/C=x+2F", ("x400", "/C=x+2F")),
        ("odd", ("odd", "")),
    ],
)
def test_what_is_no_address_is_told_as_it_came(value, meant):
    assert read_original_recipient(value) == meant


@given(st.text(max_size=60))
def test_any_text_gives_something_to_print(text):
    _, meant = read_original_recipient(f"utf-8;{text}")
    assert meant.isprintable() or meant == text
