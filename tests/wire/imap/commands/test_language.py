"""The grammar of LANGUAGE."""

from __future__ import annotations

import pytest

from twisted_mail_node.wire.imap.commands import Language
from twisted_mail_node.wire.imap.grammar import parse_command
from twisted_mail_node.wire.imap.refusal import BadSyntax


@pytest.mark.parametrize(
    ("octets", "ranges"),
    [(b"t LANGUAGE", ()), (b"t LANGUAGE de", ("de",)), (b't language "fr-CA" {2+}\r\nen', ("fr-CA", "en"))],
)
def test_ranges(octets, ranges):
    assert parse_command(octets) == Language(b"t", ranges)


@pytest.mark.parametrize("octets", [b"t LANGUAGE ", b"t LANGUAGE de  en", b"t LANGUAGE" + b" de" * 51])
def test_what_is_no_language(octets):
    with pytest.raises(BadSyntax):
        parse_command(octets)
