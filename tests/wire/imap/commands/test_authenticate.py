"""AUTHENTICATE and the lines behind it."""

from __future__ import annotations

import pytest

from twisted_mail_node.wire.imap.commands.authenticate import Authenticate, AuthenticateResponse, parse_response
from twisted_mail_node.wire.imap.grammar import parse_command
from twisted_mail_node.wire.imap.refusal import BadSyntax


@pytest.mark.parametrize(
    ("octets", "mechanism", "initial"),
    [(b"plain", "PLAIN", None), (b"PLAIN AGEAYg==", "PLAIN", b"\0a\0b"), (b"SCRAM-SHA-256 =", "SCRAM-SHA-256", b"")],
)
def test_an_exchange_begins(octets, mechanism, initial):
    assert parse_command(b"t AUTHENTICATE " + octets) == Authenticate(b"t", mechanism, initial)


@pytest.mark.parametrize("octets", [b"", b"PLAIN ", b"PLAIN x", b"PLAIN AGEAYg", b"PLAIN A= x", b"(PLAIN)", b"PLAIN *"])
def test_what_begins_no_exchange(octets):
    with pytest.raises(BadSyntax):
        parse_command(b"t AUTHENTICATE " + octets)


@pytest.mark.parametrize(("line", "response"), [(b"", b""), (b"YQ==", b"a"), (b"*", None)])
def test_lines_of_an_exchange(line, response):
    assert parse_response(b"t", line) == AuthenticateResponse(b"t", response)


@pytest.mark.parametrize("line", [b"=", b"Y", b"YQ", b"YQ== ", b" YQ==", b"**", b"\xff", b"YQ\0=", b"A" * 20_000])
def test_what_is_no_line_of_an_exchange(line):
    with pytest.raises(BadSyntax):
        parse_response(b"t", line)
