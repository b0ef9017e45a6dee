"""CREATE, with and without a special use."""

from __future__ import annotations

import pytest

from twisted_mail_node.wire.imap.commands.create import Create
from twisted_mail_node.wire.imap.grammar import parse_command
from twisted_mail_node.wire.imap.refusal import BadSyntax


@pytest.mark.parametrize(
    ("octets", "expected"),
    [
        (b"x", Create(b"t", "x")),
        (b"x/", Create(b"t", "x/")),
        (b"x (USE (\\sent))", Create(b"t", "x", ("\\Sent",))),
        (b"x (use (\\Junk \\Frob))", Create(b"t", "x", ("\\Junk", "\\Frob"))),
        (b"x (USE ())", Create(b"t", "x")),
    ],
)
def test_forms_of_create(octets, expected):
    assert parse_command(b"t CREATE " + octets) == expected


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"x ",
        b"x y",
        b"x ()",
        b"x (USE)",
        b"x (FROB (x))",
        b"x (USE (\\))",
        b"x (USE (Sent))",
        b"x (USE (\\Sent)",
        b"x (USE \\Sent)",
    ],
)
def test_what_is_no_create(octets):
    with pytest.raises(BadSyntax):
        parse_command(b"t CREATE " + octets)
