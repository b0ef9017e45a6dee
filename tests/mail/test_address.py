"""Addresses as people write them."""

from __future__ import annotations

import pytest

from twisted_mail_node.mail.address import Address


def test_domain_is_lower_case_and_the_local_part_is_kept():
    address = Address.parse("Joe.Doe@Example.TEST.")
    assert (address.local_part, address.domain, address.key) == ("Joe.Doe", "example.test", "joe.doe@example.test")


@pytest.mark.parametrize("text", ["", "joe", "@x", "joe@", "a b@x", "a@b@c", "a@x..y", "a\r\n@x", "<a@x>"])
def test_what_is_no_address_is_refused(text):
    with pytest.raises(ValueError, match="not a mail address"):
        Address.parse(text)


@pytest.mark.parametrize(("text", "base"), [("a+b@x", "a@x"), ("a@x", "a@x"), ("+a@x", "+a@x"), ("a+b+c@x", "a@x")])
def test_detail_is_taken_off(text, base):
    assert str(Address.parse(text).without_detail()) == base


@pytest.mark.parametrize(
    ("local", "wire"), [("a.b", "a.b@x"), ("a b", '"a b"@x'), ('q"', '"q\\""@x'), ("Jörg", "Jörg@x")]
)
def test_wire_form_is_quoted_where_needed(local, wire):
    assert str(Address(local, "x")) == wire


def test_an_address_without_a_domain_is_its_local_part():
    assert str(Address("postmaster", "")) == "postmaster"


def test_a_domain_is_the_same_in_u_labels_and_a_labels():
    for text in (
        "jörg@bücher.example",
        "jörg@BÜCHER.example.",
        "jörg@xn--bcher-kva.example",
        "jörg@XN--bcher-kva.Example",
    ):
        assert Address.parse(text) == Address("jörg", "xn--bcher-kva.example")


@pytest.mark.parametrize("text", ["joe@♥.example", "joe@ü-.example", "joe@" + "ü" * 63 + ".example"])
def test_a_domain_beyond_ascii_has_to_be_one(text):
    with pytest.raises(ValueError, match="its domain can't be"):
        Address.parse(text)


def test_a_local_part_is_known_by_its_composed_letters():
    composed, decomposed = Address("J\u00d6RG", "x"), Address("jo\u0308rg", "x")
    assert composed.key == decomposed.key == "j\u00f6rg@x"
    assert str(decomposed) == "jo\u0308rg@x"
