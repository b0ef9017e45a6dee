"""FETCH: what may be asked for."""

from __future__ import annotations

import pytest

from twisted_mail_node.wire.imap.commands.fetch import Fetch, FetchKind, Section, SectionText
from twisted_mail_node.wire.imap.grammar import parse_command
from twisted_mail_node.wire.imap.refusal import BadSyntax
from twisted_mail_node.wire.imap.sequence import SequenceSet

FLAGS, UID, DATE, SIZE = FetchKind.FLAGS, FetchKind.UID, FetchKind.INTERNAL_DATE, FetchKind.SIZE
MODSEQ = FetchKind.MODSEQ
ENVELOPE, BODY, STRUCTURE = FetchKind.ENVELOPE, FetchKind.BODY, FetchKind.BODY_STRUCTURE
HEADER, TEXT, MIME = SectionText.HEADER, SectionText.TEXT, SectionText.MIME
FIELDS, FIELDS_NOT = SectionText.HEADER_FIELDS, SectionText.HEADER_FIELDS_NOT


def attributes(octets, prefix=b"t FETCH 1 "):
    command = parse_command(prefix + octets)
    assert isinstance(command, Fetch)
    assert command.sequence == SequenceSet(((1, 1),))
    return command.attributes


@pytest.mark.parametrize(
    ("octets", "expected"),
    [
        (b"FLAGS", [FLAGS]),
        (b"uid", [UID]),
        (b"INTERNALDATE", [DATE]),
        (b"RFC822.SIZE", [SIZE]),
        (b"ENVELOPE", [ENVELOPE]),
        (b"BODY", [BODY]),
        (b"BODYSTRUCTURE", [STRUCTURE]),
        (b"FAST", [FLAGS, DATE, SIZE]),
        (b"all", [FLAGS, DATE, SIZE, ENVELOPE]),
        (b"FULL", [FLAGS, DATE, SIZE, ENVELOPE, BODY]),
        (b"(FLAGS)", [FLAGS]),
        (b"(UID FLAGS BODY)", [UID, FLAGS, BODY]),
        (b"(FLAGS UID FLAGS)", [FLAGS, UID]),
        (b"RFC822", [Section(b"RFC822")]),
        (b"rfc822.header", [Section(b"RFC822.HEADER", text=HEADER, peek=True)]),
        (b"RFC822.TEXT", [Section(b"RFC822.TEXT", text=TEXT)]),
        (b"BODY[]", [Section(b"BODY[]")]),
        (b"body.peek[]", [Section(b"BODY[]", peek=True)]),
        (b"BODY[HEADER]", [Section(b"BODY[HEADER]", text=HEADER)]),
        (b"BODY[text]", [Section(b"BODY[TEXT]", text=TEXT)]),
        (b"BODY[1]", [Section(b"BODY[1]", parts=(1,))]),
        (b"BODY[1.2.30]", [Section(b"BODY[1.2.30]", parts=(1, 2, 30))]),
        (b"BODY[1.MIME]", [Section(b"BODY[1.MIME]", parts=(1,), text=MIME)]),
        (b"BODY[4.2.HEADER]", [Section(b"BODY[4.2.HEADER]", parts=(4, 2), text=HEADER)]),
        (b"BODY[]<0.1024>", [Section(b"BODY[]<0>", partial=(0, 1024))]),
        (b"BODY[TEXT]<4294967295.1>", [Section(b"BODY[TEXT]<4294967295>", text=TEXT, partial=(4294967295, 1))]),
        (
            b"BODY.PEEK[HEADER.FIELDS (From TO from)]",
            [Section(b"BODY[HEADER.FIELDS (From TO from)]", text=FIELDS, fields=(b"from", b"to"), peek=True)],
        ),
        (
            b"BODY[2.header.fields.not (X-A)]<5.6>",
            [
                Section(
                    b"BODY[2.HEADER.FIELDS.NOT (X-A)]<5>",
                    parts=(2,),
                    text=FIELDS_NOT,
                    fields=(b"x-a",),
                    partial=(5, 6),
                )
            ],
        ),
        (
            b'BODY[HEADER.FIELDS ("From" {2}\r\nTo "a b")]',
            [Section(b'BODY[HEADER.FIELDS (From To "a b")]', text=FIELDS, fields=(b"from", b"to", b"a b"))],
        ),
        (
            b"(BODY[HEADER] BODY.PEEK[1] RFC822.SIZE)",
            [Section(b"BODY[HEADER]", text=HEADER), Section(b"BODY[1]", parts=(1,), peek=True), SIZE],
        ),
    ],
)
def test_data_items(octets, expected):
    assert list(attributes(octets)) == expected


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"()",
        b"(ALL)",
        b"(FLAGS",
        b"FLAGS)",
        b"(FLAGS  UID)",
        b"(FLAGS (UID))",
        b"FROB",
        b"FLAGS UID",
        b"ALL FLAGS",
        b"FLAGS[]",
        b"RFC822[]",
        b"RFC822.PEEK",
        b"BODY.PEEK",
        b"BODY[",
        b"BODY[1",
        b"BODY[0]",
        b"BODY[01]",
        b"BODY[1.]",
        b"BODY[1.0]",
        b"BODY[.1]",
        b"BODY[1..2]",
        b"BODY[1 2]",
        b"BODY[4294967296]",
        b"BODY[99999999999]",
        b"BODY[1" + b".1" * 100 + b"]",
        b"BODY[MIME]",
        b"BODY[FROB]",
        b"BODY[HEADER.1]",
        b"BODY[HEADER.FIELDS]",
        b"BODY[HEADER.FIELDS ]",
        b"BODY[HEADER.FIELDS ()]",
        b"BODY[HEADER.FIELDS From]",
        b"BODY[HEADER.FIELDS (From]",
        b"BODY[HEADER (From)]",
        b"BODY[]<",
        b"BODY[]<0>",
        b"BODY[]<0.>",
        b"BODY[]<.5>",
        b"BODY[]<0.0>",
        b"BODY[]<0.9223372036854775808>",
        b"BODY[]<9223372036854775808.1>",
        b"BODY[]<1.2",
        b"BODY<1.2>",
        b"BODY[]x",
        b"BODY[" * 1000,
    ],
)
def test_what_cannot_be_asked_for(octets):
    with pytest.raises(BadSyntax):
        attributes(octets)


def test_uid_fetch_holds_uids():
    assert attributes(b"(FLAGS UID)", b"t UID FETCH 1 ") == (FLAGS, UID)
    assert attributes(b"FAST", b"t UID FETCH 1 ") == (FLAGS, DATE, SIZE)
    assert parse_command(b"t UID FETCH 1 FLAGS").by_uid


def test_changed_since_asks_for_the_modseq_as_well():
    fetch = parse_command(b"t FETCH 1 FLAGS (CHANGEDSINCE 12345)")
    assert (fetch.attributes, fetch.changed_since, fetch.vanished) == ((FLAGS, MODSEQ), 12345, False)
    fetch = parse_command(b"t UID FETCH 1 (MODSEQ FLAGS) (vanished changedsince 9223372036854775807)")
    assert (fetch.attributes, fetch.changed_since, fetch.vanished) == ((MODSEQ, FLAGS), (1 << 63) - 1, True)


@pytest.mark.parametrize(
    "modifiers",
    [
        b"()",
        b"(CHANGEDSINCE)",
        b"(CHANGEDSINCE x)",
        b"(CHANGEDSINCE 9223372036854775808)",
        b"(CHANGEDSINCE 1 CHANGEDSINCE 2)",
        b"(CHANGEDSINCE 1",
        b"(NOTHING 1)",
        b"(VANISHED)",
        b"CHANGEDSINCE 1",
    ],
)
def test_modifiers_that_are_none(modifiers):
    with pytest.raises(BadSyntax):
        parse_command(b"t UID FETCH 1 FLAGS " + modifiers)
    with pytest.raises(BadSyntax):
        parse_command(b"t FETCH 1 FLAGS (CHANGEDSINCE 1 VANISHED)")


@pytest.mark.parametrize(
    ("octets", "sets_seen"),
    [
        (b"FULL", False),
        (b"BODY.PEEK[]", False),
        (b"RFC822.HEADER", False),
        (b"(FLAGS BODY[])", True),
        (b"RFC822", True),
        (b"RFC822.TEXT", True),
    ],
)
def test_reading_without_peek_sets_seen(octets, sets_seen):
    assert parse_command(b"t FETCH 1 " + octets).sets_seen is sets_seen
