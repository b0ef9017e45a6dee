"""LIST: references, patterns, and the options of its extended form."""

from __future__ import annotations

import pytest

from twisted_mail_node.wire.imap.commands.list import List, ListReturn, ListSelection
from twisted_mail_node.wire.imap.commands.status import StatusItem
from twisted_mail_node.wire.imap.grammar import parse_command
from twisted_mail_node.wire.imap.refusal import BadSyntax

SELECT, RETURN = ListSelection, ListReturn


@pytest.mark.parametrize(
    ("octets", "expected"),
    [
        (b'"" *', List(b"t", "", ("*",))),
        (b'"" "%"', List(b"t", "", ("%",))),
        (b'"" ""', List(b"t", "", ("",))),
        (b"a/ {3}\r\nb %", List(b"t", "a/", ("b %",))),
        (b'"" Entw&APw-*', List(b"t", "", ("Entwü*",))),
        (b'"" a&*', List(b"t", "", ("a&*",))),
        (b"&x {1}\r\n\xe4", List(b"t", "&x", ("ä",))),
        (b'"" inbox', List(b"t", "", ("inbox",))),
        (b'"" a]%', List(b"t", "", ("a]%",))),
        (b'() "" *', List(b"t", "", ("*",), extended=True)),
        (b'"" (* "%")', List(b"t", "", ("*", "%"), extended=True)),
        (b'"" * RETURN ()', List(b"t", "", ("*",), extended=True)),
        (
            b'(subscribed RECURSIVEMATCH) "" *',
            List(b"t", "", ("*",), frozenset((SELECT.SUBSCRIBED, SELECT.RECURSIVE_MATCH)), extended=True),
        ),
        (
            b'(SPECIAL-USE REMOTE) "" * RETURN (SPECIAL-USE children SUBSCRIBED)',
            List(
                b"t",
                "",
                ("*",),
                frozenset((SELECT.SPECIAL_USE, SELECT.REMOTE)),
                frozenset((RETURN.SPECIAL_USE, RETURN.CHILDREN, RETURN.SUBSCRIBED)),
                extended=True,
            ),
        ),
        (
            b'"" % RETURN (STATUS (UNSEEN MESSAGES))',
            List(
                b"t",
                "",
                ("%",),
                returned=frozenset((RETURN.STATUS,)),
                status_items=(StatusItem.UNSEEN, StatusItem.MESSAGES),
                extended=True,
            ),
        ),
    ],
)
def test_forms_of_list(octets, expected):
    assert parse_command(b"t LIST " + octets) == expected


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b'""',
        b'"" ',
        b'"" a b',
        b'"" ()',
        b'"" (a',
        b'"" \xc3\xa4',
        b"% a",
        b'(FROB) "" *',
        b'(SUBSCRIBED "" *',
        b'(RECURSIVEMATCH) "" *',
        b'(RECURSIVEMATCH REMOTE) "" *',
        b'"" * RETURN',
        b'"" * RETURN ',
        b'"" * RETURN FROB',
        b'"" * RETURN (FROB)',
        b'"" * RETURN (STATUS)',
        b'"" * RETURN (STATUS ())',
        b'"" * RETURN (STATUS (FROB))',
        b'"" * RETRUN ()',
    ],
)
def test_what_is_no_list(octets):
    with pytest.raises(BadSyntax):
        parse_command(b"t LIST " + octets)
