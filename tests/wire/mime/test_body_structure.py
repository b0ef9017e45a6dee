"""BODYSTRUCTURE of messages in messages, for who knows message/global and who does not."""

from __future__ import annotations

import pytest

from twisted_mail_node.wire.mime.body_structure import body_structure, with_global_closed, without_extensions
from twisted_mail_node.wire.mime.structure import structure_of

INNER = "Subject: für dich\r\nFrom: Jürgen <jürgen@bücher.test>\r\n\r\nHallo\r\n".encode()
ENVELOPE = (
    b"(NIL {9}\r\nf\xc3\xbcr dich (({7}\r\nJ\xc3\xbcrgen NIL {7}\r\nj\xc3\xbcrgen {12}\r\nb\xc3\xbccher.test)) "
    b"(({7}\r\nJ\xc3\xbcrgen NIL {7}\r\nj\xc3\xbcrgen {12}\r\nb\xc3\xbccher.test)) "
    b"(({7}\r\nJ\xc3\xbcrgen NIL {7}\r\nj\xc3\xbcrgen {12}\r\nb\xc3\xbccher.test)) NIL NIL NIL NIL NIL)"
)


def message(inner_type):
    return (
        b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\nsee\r\n--x\r\n"
        b"Content-Type: %b\r\n\r\n%b--x--\r\n" % (inner_type, INNER)
    )


def test_a_global_message_is_open_as_any_other():
    open_form = body_structure(structure_of(message(b"message/global")))
    size = len(INNER) - 2
    assert open_form == (
        b'(("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 3 0 NIL NIL NIL NIL)'
        b'("message" "global" NIL NIL NIL "7bit" %d %b '
        b'("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 5 0 NIL NIL NIL NIL) 3 NIL NIL NIL NIL)'
        b' "mixed" ("boundary" "x") NIL NIL NIL)' % (size, ENVELOPE)
    )


def test_it_is_closed_for_who_does_not_know_it():
    open_form = body_structure(structure_of(message(b"message/global")))
    closed = with_global_closed(open_form)
    assert closed == (
        b'(("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 3 0 NIL NIL NIL NIL)'
        b'("message" "global" NIL NIL NIL "7bit" %d NIL NIL NIL NIL) "mixed" ("boundary" "x") NIL NIL NIL)'
        % (len(INNER) - 2)
    )
    assert without_extensions(closed) == (
        b'(("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 3 0)'
        b'("message" "global" NIL NIL NIL "7bit" %d) "mixed")' % (len(INNER) - 2)
    )


@pytest.mark.parametrize(
    "inner_type", [b"message/global", b"message/rfc822", b'text/x; name="Global"', b'application/x; a="message/global"']
)
def test_body_is_body_structure_without_extensions(inner_type):
    root = structure_of(message(inner_type))
    assert without_extensions(body_structure(root)) == body_structure(root, extensions=False)


@pytest.mark.parametrize("inner_type", [b"message/rfc822", b'text/global; name="Global"', b'a/b; c="global"'])
def test_other_parts_stay_as_they_are(inner_type):
    form = body_structure(structure_of(message(inner_type)))
    assert with_global_closed(form) == form


def test_a_message_that_is_one_part_is_closed_too():
    root = structure_of(b"Content-Type: Message/Global\r\n\r\n" + INNER)
    assert with_global_closed(body_structure(root)) == (
        b'("message" "global" NIL NIL NIL "7bit" %d NIL NIL NIL NIL)' % len(INNER)
    )
