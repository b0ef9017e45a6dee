"""The SMTP grammar, as tables. Source: RFC 5321 §4.1.2."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_mail_node.mail.address import Address
from twisted_mail_node.wire.smtp.syntax import (
    parse_domain,
    parse_forward_path,
    parse_mailbox,
    parse_reverse_path,
    render_path,
)

PATHS = [
    (b"<joe@example.org>", Address("joe", "example.org")),
    (b"<Joe.Smith@EXAMPLE.org>", Address("Joe.Smith", "example.org")),
    (b" <joe@example.org>", Address("joe", "example.org")),
    (b"<joe@example.org> ", Address("joe", "example.org")),
    (b"<a+b=c@x>", Address("a+b=c", "x")),
    (b"<@a.example,@b.example:joe@c.example>", Address("joe", "c.example")),
    (b"<@a:joe@c>", Address("joe", "c")),
    (b'<"joe smith"@x>', Address("joe smith", "x")),
    (b'<"a\\"b\\\\c"@x>', Address('a"b\\c', "x")),
    (b'<"a@b>c"@x>', Address("a@b>c", "x")),
    (b'<""@x>', Address("", "x")),
    (b"<joe@[192.0.2.1]>", Address("joe", "[192.0.2.1]")),
    (b"<joe@[IPv6:2001:DB8:0::1]>", Address("joe", "[ipv6:2001:db8::1]")),
    (b"<joe@[x-tag:data]>", Address("joe", "[x-tag:data]")),
    (b"<joe@a-b--c.example>", Address("joe", "a-b--c.example")),
    (b"<joe@_dmarc.example>", Address("joe", "_dmarc.example")),
    (b"<" + b"l" * 100 + b"@x.example>", Address("l" * 100, "x.example")),
]

NOT_PATHS = [
    b"",
    b"joe@example.org",
    b"<joe@example.org",
    b"joe@example.org>",
    b"<joe>",
    b"<@example.org>",
    b"<joe@>",
    b"<.joe@x>",
    b"<joe.@x>",
    b"<jo..e@x>",
    b"<joe smith@x>",
    b"<joe@x..y>",
    b"<joe@x.>",
    b"<joe@-x>",
    b"<joe@x->",
    b"<joe@x-.y>",
    b"<joe@x y>",
    b"<joe@@x>",
    b"<joe@x>y",
    b"<joe@x><a@b>",
    b'<"joe@x>',
    b'<"joe"x@x>',
    b'<"jo\x00e"@x>',
    b'<"jo\ne"@x>',
    b"<j\xc3\xb6e@x>",
    b"<joe@\xc3\xb6>",
    b"<joe@[300.0.2.1]>",
    b"<joe@[192.0.2]>",
    b"<joe@[IPv6:2001::1::2]>",
    b"<joe@[IPv6:fe80::1%eth0]>",
    b"<joe@[]>",
    b"<joe@[:x]>",
    b"<joe@" + b"a" * 64 + b">",
    b"<" + b"a" * 254 + b"@x>",
    b"<@a,b:joe@c>",
    b"<@a;joe@c>",
    b"<joe@x> =",
    b"<joe@x> SIZE==",
    b"<joe@x> -A=1",
    b"<joe@x> A=1 a=2",
    b"<joe@x>\tA=1",
    b"<joe@x> A=\xff",
    b"<joe@x\r>",
    b"<joe\x00@x>",
]


@pytest.mark.parametrize(("text", "address"), PATHS)
def test_a_path_gives_its_address(text: bytes, address: Address) -> None:
    assert parse_reverse_path(text) == (address, ())
    assert parse_forward_path(text) == (address, ())


@pytest.mark.parametrize("text", NOT_PATHS)
def test_what_is_not_a_path_is_refused(text: bytes) -> None:
    with pytest.raises(ValueError):
        parse_reverse_path(text)
    with pytest.raises(ValueError):
        parse_forward_path(text)


def test_the_null_path_is_for_senders_only() -> None:
    assert parse_reverse_path(b"<>") == (None, ())
    assert parse_reverse_path(b"<> SIZE=1") == (None, (("SIZE", "1"),))
    with pytest.raises(ValueError):
        parse_forward_path(b"<>")
    with pytest.raises(ValueError):
        parse_reverse_path(b"<>x")


def test_the_bare_postmaster_is_for_recipients_only() -> None:
    assert parse_forward_path(b"<PostMaster>") == (Address("postmaster", ""), ())
    with pytest.raises(ValueError):
        parse_reverse_path(b"<postmaster>")


def test_parameters_come_in_order_with_keywords_in_upper_case() -> None:
    _, parameters = parse_reverse_path(b"<a@b> size=12 BODY=8bitMIME  X-Flag")
    assert parameters == (("SIZE", "12"), ("BODY", "8bitMIME"), ("X-FLAG", ""))


@pytest.mark.parametrize("text", [b"mx.example.org", b"a", b"[192.0.2.1]", b"[IPv6:::1]"])
def test_a_domain_or_literal_is_read(text: bytes) -> None:
    assert parse_domain(text) == text.decode().lower()


@pytest.mark.parametrize("text", [b"", b"a b", b"[", b"a_.-", b"a" * 300, b".".join([b"a" * 63] * 5)])
def test_what_is_not_a_domain_is_refused(text: bytes) -> None:
    with pytest.raises(ValueError):
        parse_domain(text)


def test_a_mailbox_has_no_brackets() -> None:
    assert parse_mailbox(b"joe@x") == Address("joe", "x")
    with pytest.raises(ValueError):
        parse_mailbox(b"<joe@x>")


@pytest.mark.parametrize(
    "evil",
    [
        b"<" + b"a." * 250_000,
        b'<"' + b"\\a" * 250_000,
        b"<@" + b"a,@" * 200_000,
        b"<a@" + b"-" * 500_000,
        b"<a@a" + b"-a" * 250_000,
        b"<a@[" + b"a:" * 250_000,
        b"<a@b> " + b"A-" * 250_000 + b"==",
        b"<@" + b"a-" * 250_000 + b":",
    ],
)
@pytest.mark.timeout(5)
def test_long_nonsense_costs_linear_time(evil: bytes) -> None:
    with pytest.raises(ValueError):
        parse_reverse_path(evil)


_locals = st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=60)


@given(_locals)
def test_a_rendered_path_is_read_as_the_same_address(local_part: str) -> None:
    address = Address(local_part, "example.org")
    assert parse_reverse_path(render_path(address)) == (address, ())


UTF8_PATHS = [
    ("<用户@例え.jp>", Address("用户", "xn--r8jz45g.jp")),
    ("<jörg.o'neil@BÜCHER.example>", Address("jörg.o'neil", "xn--bcher-kva.example")),
    ("<jörg@xn--bcher-kva.example>", Address("jörg", "xn--bcher-kva.example")),
    ("<joe@bücher.example>", Address("joe", "xn--bcher-kva.example")),
    ('<"jörg \\"x"@[192.0.2.1]>', Address('jörg "x', "[192.0.2.1]")),
    ("<@bücher.example:jörg@b.example>", Address("jörg", "b.example")),
]


@pytest.mark.parametrize(("text", "address"), UTF8_PATHS)
def test_a_path_beyond_ascii_is_read_where_it_may_come(text: str, address: Address) -> None:
    """RFC 6531 §3.3: U-labels and A-labels name one domain."""
    octets = text.encode()
    assert parse_reverse_path(octets, utf8=True) == (address, ())
    assert parse_forward_path(octets, utf8=True) == (address, ())
    assert parse_mailbox(octets.strip(b"<>").rpartition(b":")[2], utf8=True) == address
    for parse in (parse_reverse_path, parse_forward_path):
        with pytest.raises(ValueError):
            parse(octets)


@pytest.mark.parametrize(
    "text",
    [
        b"<j\xf6rg@x>",
        b"<j\xc3@x>",
        b"<joe@b\xfccher.example>",
        "<joe@-ü.example>".encode(),
        "<joe@ü..example>".encode(),
        "<joe@♥.example>".encode(),
        "<jo\u0085e@x>".encode(),
        "<jo\u2028e@x>".encode(),
        b"<j\xed\xa0\x80@x>",
        ("<" + "ö" * 127 + "@x>").encode(),
        ("<joe@" + "ü" * 63 + ".example>").encode(),
    ],
)
def test_what_is_no_path_beyond_ascii_either_is_refused(text: bytes) -> None:
    with pytest.raises(ValueError):
        parse_reverse_path(text, utf8=True)


def test_parameters_may_be_beyond_ascii_where_paths_may() -> None:
    text = "<joe@x> ORCPT=utf-8;jörg@x".encode()
    assert parse_forward_path(text, utf8=True)[1] == (("ORCPT", "utf-8;jörg@x"),)
    with pytest.raises(ValueError):
        parse_forward_path(text)
    with pytest.raises(ValueError):
        parse_forward_path(b"<joe@x> ORCPT=\xff", utf8=True)


def test_the_null_path_is_rendered() -> None:
    assert render_path(None) == b"<>"


@given(st.binary(max_size=80))
def test_random_bytes_give_an_address_or_a_value_error(text: bytes) -> None:
    for parse in (parse_reverse_path, parse_forward_path, parse_mailbox, parse_domain):
        with suppress(ValueError):
            parse(text)
    for parse_utf8 in (parse_reverse_path, parse_forward_path, parse_mailbox):
        with suppress(ValueError):
            parse_utf8(text, utf8=True)


@given(st.text(st.characters(min_codepoint=0xA1, exclude_categories=["Cs", "Cc", "Zl", "Zp"]), min_size=1, max_size=30))
def test_a_local_part_beyond_ascii_is_kept_as_it_is(local_part: str) -> None:
    address = Address(local_part, "example.org")
    assert parse_reverse_path(render_path(address), utf8=True) == (address, ())
