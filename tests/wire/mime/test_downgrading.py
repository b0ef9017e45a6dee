"""Header blocks in ASCII: what is shown, what is left out, and that nothing else changes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_mail_node.wire.mime.decode import decode_words
from twisted_mail_node.wire.mime.downgrading import DOWNGRADED_OCTETS, Downgrading
from twisted_mail_node.wire.mime.parameters import value_and_parameters

NOBODY = "<invalid@internationalized-address.invalid>"


def downgraded(block):
    return Downgrading().of(block)


def shown(field):
    """A field of a block, downgraded, its words read again; None where it is left out."""
    block = downgraded(b"A: 1\r\n" + field + b"\r\nZ: 2\r\n\r\n")
    assert block.isascii()
    assert block.startswith(b"A: 1\r\n")
    assert block.endswith(b"\r\nZ: 2\r\n\r\n")
    kept = block[len(b"A: 1\r\n") : -len(b"Z: 2\r\n\r\n")]
    return decode_words(kept) if kept else None


def test_ascii_is_not_touched():
    block = b"Subject:  =?x?\r\n\tfolded\r\nno field\r\nTo: a@x,\r\n b@x\r\n\r\n"
    assert downgraded(block) is block


# RFC 6858 §3.1: an address that cannot be written is shown, and no address any more.
@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("jürgen@example.org", f"jürgen@example.org {NOBODY}"),
        ("Jürgen <juergen@example.org>", "Jürgen <juergen@example.org>"),
        ('"Jürgen, der \\"Erste\\"" <j@example.org>', 'Jürgen, der "Erste" <j@example.org>'),
        ("Fred <fred@grå.org>", f"Fred <fred@grå.org> {NOBODY}"),
        ("<grå@grå.org>", f"<grå@grå.org> {NOBODY}"),
        ("a@x, jürgen@x ,  b@x", f"a@x, jürgen@x {NOBODY}, b@x"),
        ("Ann <a@x>, Bjørn <b@x>", "Ann <a@x>, Bjørn <b@x>"),
        ("Vänner: a@x, ü@x;", f"Vänner: a@x, ü@x {NOBODY};"),
        ("joe@x (Jürgen)", "joe@x"),
        ("Joe <joe@x> (Jürgen)", "Joe <joe@x>"),
        ("=?utf-8?q?J=C3=B6rg?= Ü <j@x>", "Jörg Ü <j@x>"),
        ("Ü <u@[IPv6:2001:db8::1]>, v@[IPv6:2001:db8::1]", "Ü <u@[IPv6:2001:db8::1]>, v@[IPv6:2001:db8::1]"),
        ("ü", f"ü {NOBODY}"),
        ("(ü)", ""),
        ("ü@x,", f"ü@x {NOBODY},"),
        ('"ü', f"ü {NOBODY}"),
        ("Ü <u@x", "Ü <u@x"),
    ],
)
def test_addresses(value, expected):
    assert shown(f"To: {value}".encode()) == f"To: {expected}".strip()


@pytest.mark.parametrize("name", ["From", "Sender", "Reply-To", "Cc", "Bcc", "Return-Path", "Resent-From", "RESENT-TO"])
def test_address_fields_are_known_in_any_case(name):
    assert shown(f"{name}: ü@x".encode()) == f"{name}: ü@x {NOBODY}"


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("Subject: Grüße".encode(), "Subject: Grüße"),
        ("Subject: Grüße\r\n =?utf-8?q?und_K=C3=BCsse?=".encode(), "Subject: Grüße und Küsse"),
        ("subject : ü".encode(), "subject : ü"),
        (b"Subject: Gr\xfc\xdfe", "Subject: Grüße"),
        ("Comments: ü".encode(), "Comments: ü"),
        ("Content-Description: ü".encode(), "Content-Description: ü"),
        # RFC 6858 §3.4: anything else is left out.
        ("Received: from ü by x; now".encode(), None),
        ("X-Spam: ü\r\n folded".encode(), None),
        ("Ü: value".encode(), None),
        ("no field ü".encode(), None),
    ],
)
def test_texts_and_all_else(field, expected):
    assert shown(field) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("attachment; filename=ü.txt", "attachment; filename*=utf-8''%C3%BC.txt"),
        ('attachment; filename="ü (1).txt"; size=3', "attachment; filename*=utf-8''%C3%BC%20%281%29.txt; size=3"),
        ('text/plain; name="a\\"b"; x="ü"', 'text/plain; name="a\\"b"; x*=utf-8\'\'%C3%BC'),
        ("text/plain; ü=1; charset=utf-8", "text/plain; charset=utf-8"),
        ("text/plain; name=" + "ü" * 400 + "; a=b", "text/plain; a=b"),
        ("tüxt/plain", None),
        ("; name=ü", None),
    ],
)
def test_parameters(value, expected):
    assert shown(f"Content-Type: {value}".encode()) == (expected and f"Content-Type: {expected}")


def test_a_long_parameter_stays_a_line_that_may_be_sent():
    block = downgraded(f"Content-Disposition: attachment; filename={'ü' * 140}\r\n\r\n".encode())
    assert max(map(len, block.split(b"\r\n"))) <= 998
    _, parameters = value_and_parameters(block.partition(b":")[2])
    assert parameters == ((b"filename*", b"utf-8''" + b"%C3%BC" * 140),)


FIELDS = st.lists(
    st.one_of(
        st.sampled_from(
            [
                b"Subject: ",
                b"To: ",
                b"Content-Type: ",
                b"X: ",
                b"\r\n",
                b"\r\n ",
                b'"',
                b"<",
                b">",
                b"(",
                b")",
                b",",
                b";",
                b":",
                b"\\",
                b"=?utf-8?b?w7w=?=",
                "ü".encode(),
                b"\xff",
                b"a@x",
                b"[",
                b"]",
                b"=",
                b"*",
            ]
        ),
        st.binary(max_size=4).map(lambda octets: octets.replace(b"\r", b"").replace(b"\n", b"")),
    ),
    max_size=30,
).map(b"".join)


@given(FIELDS)
def test_whatever_comes_is_ascii_in_the_end_and_lines_end_alike(block):
    made = downgraded(block + b"\r\n\r\n")
    assert made.isascii()
    assert made == b"\r\n" or made.endswith(b"\r\n\r\n")
    assert made.count(b"\r") == made.count(b"\n") == made.count(b"\r\n")


@given(FIELDS)
def test_what_was_ascii_already_stays_where_it_was(block):
    made = downgraded(b"A: 1\r\nB: " + block + b"\r\nZ: 2\r\n\r\n")
    assert made.startswith(b"A: 1\r\n")
    assert made.endswith(b"\r\nZ: 2\r\n\r\n")


def test_so_much_of_a_message_is_read_and_the_rest_left_out():
    line = "Subject: ü\r\n".encode()
    fitting = DOWNGRADED_OCTETS // (len(line) - 2)
    downgrading = Downgrading()
    assert downgrading.of(line * (fitting + 5) + b"A: 1\r\n").count(b"\r\n") == fitting + 1
    # What is short enough may still have room; what is not has none in the next block either.
    assert downgrading.of(line + b"\r\n") == b"\r\n"
    assert shown(b"Subject: " + "ü".encode() * DOWNGRADED_OCTETS) is None
