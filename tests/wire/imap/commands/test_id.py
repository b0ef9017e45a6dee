"""ID: who the client says it is."""

from __future__ import annotations

import pytest

from twisted_mail_node.wire.imap.commands.id import Id
from twisted_mail_node.wire.imap.grammar import parse_command
from twisted_mail_node.wire.imap.refusal import BadSyntax


@pytest.mark.parametrize(
    ("octets", "fields"),
    [
        (b"NIL", ()),
        (b"nil", ()),
        (b"()", ()),
        (b'("Name" "x")', (("name", "x"),)),
        (b'("name" {3}\r\na b "version" NIL)', (("name", "a b"), ("version", None))),
        (b'("name" {2}\r\n\xc3\xa4)', (("name", "ä"),)),
        (b'("name" {1}\r\n\xff)', (("name", "\ufffd"),)),
    ],
)
def test_fields(octets, fields):
    assert parse_command(b"t ID " + octets) == Id(b"t", fields)


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"FROB",
        b'("name")',
        b'("name" "x"',
        b"(name x)",
        b'("name" ("x"))',
        b'("%b" "x")' % (b"n" * 31),
        b'("name" "%b")' % (b"x" * 1025),
        b"(" + b" ".join([b'"a" "b"'] * 31) + b")",
    ],
)
def test_what_is_no_identity(octets):
    with pytest.raises(BadSyntax):
        parse_command(b"t ID " + octets)
