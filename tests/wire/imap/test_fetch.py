"""FETCH answers out of columns."""

from __future__ import annotations

import pytest

from twisted_mail_node.mail.columns import Columns, FetchItem, InternalDate
from twisted_mail_node.mail.flags import NO_FLAGS, Flags
from twisted_mail_node.mail.uid_set import UIDSet
from twisted_mail_node.wire.imap.commands.fetch import FetchKind, Section, SectionText
from twisted_mail_node.wire.imap.enabled import Extension
from twisted_mail_node.wire.imap.fetch import FetchPlan, HeaderRange, MessageRange, internal_date
from twisted_mail_node.wire.imap.view import View
from twisted_mail_node.wire.mime.structure import structure_of

HEADER = b"From: a@b\r\nSubject: s\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n"
MESSAGE = HEADER + b"--x\r\nContent-Type: text/plain\r\n\r\nhello\r\n--x--\r\n"
VIEW = View(UIDSet.of([3, 5]), recent=UIDSet.of([5]))
SEEN = Flags.from_names(["\\Seen"])


def columns():
    return Columns(
        [3, 5],
        flags=[SEEN, NO_FLAGS],
        internal_dates=[InternalDate(0, 540), InternalDate(1_700_000_000, -330)],
        sizes=[len(MESSAGE), 4],
        headers=[HEADER, b"\r\n"],
        envelopes=[b"(e1)", b"(e2)"],
        body_structures=[b'("text" "plain" NIL NIL NIL "7bit" 1 1 NIL NIL NIL NIL)'] * 2,
        bodies=[MESSAGE, b"\r\nhi"],
    )


def fetched(*attributes, by_uid=False):
    return FetchPlan(attributes, by_uid).rows(VIEW, columns())


def test_uid_and_flags():
    assert fetched(FetchKind.UID, FetchKind.FLAGS) == (
        b"* 1 FETCH (UID 3 FLAGS (\\Seen))\r\n* 2 FETCH (UID 5 FLAGS (\\Recent))\r\n"
    )


def test_uid_comes_where_uids_were_asked_by():
    assert fetched(FetchKind.SIZE, by_uid=True).endswith(b"* 2 FETCH (UID 5 RFC822.SIZE 4)\r\n")


def test_kept_forms_and_dates():
    assert fetched(FetchKind.ENVELOPE, FetchKind.BODY, FetchKind.BODY_STRUCTURE, FetchKind.INTERNAL_DATE) == (
        b'* 1 FETCH (ENVELOPE (e1) BODY ("text" "plain" NIL NIL NIL "7bit" 1 1)'
        b' BODYSTRUCTURE ("text" "plain" NIL NIL NIL "7bit" 1 1 NIL NIL NIL NIL)'
        b' INTERNALDATE " 1-Jan-1970 09:00:00 +0900")\r\n'
        b'* 2 FETCH (ENVELOPE (e2) BODY ("text" "plain" NIL NIL NIL "7bit" 1 1)'
        b' BODYSTRUCTURE ("text" "plain" NIL NIL NIL "7bit" 1 1 NIL NIL NIL NIL)'
        b' INTERNALDATE "14-Nov-2023 16:43:20 -0530")\r\n'
    )


def test_a_date_out_of_range_is_still_a_date():
    assert internal_date(InternalDate(-(10**15))).startswith(b'" 1-Jan-0001')


@pytest.mark.parametrize(
    ("section", "first", "second"),
    [
        (Section(b"BODY[]"), MESSAGE, b"\r\nhi"),
        (Section(b"RFC822.HEADER", text=SectionText.HEADER), HEADER, b"\r\n"),
        (Section(b"BODY[TEXT]", text=SectionText.TEXT), MESSAGE[len(HEADER) :], b"hi"),
        (Section(b"BODY[1]", parts=(1,)), b"hello", b"hi"),
        (Section(b"BODY[1.MIME]", parts=(1,), text=SectionText.MIME), b"Content-Type: text/plain\r\n\r\n", b"\r\n"),
        (Section(b"BODY[2]", parts=(2,)), None, None),
        (Section(b"BODY[]<2>", partial=(2, 3)), MESSAGE[2:5], b"hi"),
        (Section(b"BODY[]<900>", partial=(900, 3)), b"", b""),
    ],
)
def test_sections(section, first, second):
    def value(octets):
        return b"NIL" if octets is None else b"{%d}\r\n%b" % (len(octets), octets)

    expected = b"* 1 FETCH (%b %b)\r\n* 2 FETCH (%b %b)\r\n" % (
        section.label,
        value(first),
        section.label,
        value(second),
    )
    assert fetched(section) == expected


def test_chosen_header_fields():
    asked = Section(b"BODY[HEADER.FIELDS (FROM)]", text=SectionText.HEADER_FIELDS, fields=(b"from",))
    assert fetched(asked).startswith(b"* 1 FETCH (BODY[HEADER.FIELDS (FROM)] {13}\r\nFrom: a@b\r\n\r\n)\r\n")
    asked = Section(
        b"BODY[HEADER.FIELDS.NOT (FROM)]<0>", text=SectionText.HEADER_FIELDS_NOT, fields=(b"from",), partial=(0, 4)
    )
    assert b"{4}\r\nSubj)" in fetched(asked)


def test_what_has_to_be_read():
    plan = FetchPlan([FetchKind.UID, FetchKind.FLAGS], False)
    assert (plan.items, plan.reads_messages, plan.needs_structure) == (FetchItem.FLAGS, False, False)
    plan = FetchPlan([Section(b"BODY[HEADER]", text=SectionText.HEADER)], False)
    assert (plan.items, plan.reads_messages) == (FetchItem.HEADER, False)
    plan = FetchPlan([Section(b"BODY[1]", parts=(1,))], False)
    assert plan.reads_messages
    assert plan.needs_structure


@pytest.mark.parametrize(
    "attributes",
    [
        [FetchKind.UID, Section(b"BODY[]"), FetchKind.FLAGS],
        [Section(b"BODY[TEXT]<1>", text=SectionText.TEXT, partial=(1, 5))],
        [Section(b"BODY[]<500>", partial=(500, 5))],
        [Section(b"BODY[1]", parts=(1,)), Section(b"BODY[7]", parts=(7,))],
        [Section(b"BODY[HEADER.FIELDS (TO)]", text=SectionText.HEADER_FIELDS, fields=(b"to",)), Section(b"BODY[]")],
        [
            Section(b"BODY[HEADER]", text=SectionText.HEADER),
            Section(b"BODY[1.MIME]", parts=(1,), text=SectionText.MIME),
        ],
    ],
)
def test_a_large_message_is_the_same_in_pieces(attributes):
    whole = columns()
    one = Columns(
        whole.uids[:1], flags=whole.flags[:1], sizes=whole.sizes[:1], headers=whole.headers[:1], bodies=whole.bodies[:1]
    )
    plan = FetchPlan(attributes, False)
    out = []
    for piece in plan.large_row(VIEW, one, structure_of(MESSAGE)):
        match piece:
            case bytes():
                out.append(piece)
            case MessageRange(start, end):
                out.append(MESSAGE[start:end])
            case HeaderRange(start, end, section):
                out.append(section.rendered(MESSAGE[start:end]))
    assert b"".join(out) == plan.rows(VIEW, one)


def test_headers_are_taken_from_messages_that_are_read_anyway():
    plan = FetchPlan(
        [Section(b"BODY[HEADER]", text=SectionText.HEADER), Section(b"BODY[TEXT]", text=SectionText.TEXT)], False
    )
    assert plan.items == FetchItem.NONE
    given = Columns([5], bodies=[b"A: b\r\n\r\nhi"])
    assert plan.rows(VIEW, given) == b"* 2 FETCH (BODY[HEADER] {8}\r\nA: b\r\n\r\n BODY[TEXT] {2}\r\nhi)\r\n"


def test_chosen_fields_of_a_message_inside_a_large_one_are_read_whole():
    head = b"Content-Type: message/rfc822\r\n\r\n"
    message = head + b"To: a\r\nSubject: b\r\n\r\nc"
    asked = Section(b"BODY[1.HEADER.FIELDS (TO)]", (1,), SectionText.HEADER_FIELDS, (b"to",))
    plan = FetchPlan([asked], False)
    one = Columns([3], sizes=[len(message)], headers=[head])
    pieces = plan.large_row(VIEW, one, structure_of(message))
    [header] = [piece for piece in pieces if isinstance(piece, HeaderRange)]
    assert (
        header.section.rendered(message[header.start : header.end])
        == b"BODY[1.HEADER.FIELDS (TO)] {9}\r\nTo: a\r\n\r\n"
    )


def test_a_plan_tells_what_its_rows_give():
    assert FetchPlan([FetchKind.FLAGS], by_uid=False).gives_flags
    assert not FetchPlan([FetchKind.SIZE], by_uid=True).gives_flags
    assert FetchPlan([FetchKind.SIZE], by_uid=True).gives_uid
    assert not FetchPlan([FetchKind.SIZE], by_uid=False).gives_uid


def test_flag_rows_of_store():
    assert (
        VIEW.flag_rows(columns(), with_uid=False) == b"* 1 FETCH (FLAGS (\\Seen))\r\n* 2 FETCH (FLAGS (\\Recent))\r\n"
    )
    assert VIEW.flag_rows(columns(), with_uid=True).startswith(b"* 1 FETCH (UID 3 FLAGS (\\Seen))\r\n")


def test_modseqs_are_shown_and_remembered():
    view = View(UIDSet.of([3, 5]), enabled={Extension.CONDSTORE})
    plan = FetchPlan([FetchKind.MODSEQ], by_uid=True)
    assert (plan.items, plan.gives_modseq) == (FetchItem.MODSEQ, True)
    assert plan.rows(view, Columns([3, 5], modseqs=[9, 4])) == (
        b"* 1 FETCH (UID 3 MODSEQ (9))\r\n* 2 FETCH (UID 5 MODSEQ (4))\r\n"
    )
    assert view.told.shown == 9


def test_without_numbers_the_uid_comes_first_and_twice_only_where_it_is_asked_for():
    view = View(UIDSet.of([3, 5]), enabled={Extension.UIDONLY})
    flags = Columns([3, 5], flags=[SEEN, NO_FLAGS])
    plan = FetchPlan([FetchKind.FLAGS], by_uid=True, by_uid_alone=True)
    assert plan.rows(view, flags) == b"* 3 UIDFETCH (FLAGS (\\Seen))\r\n* 5 UIDFETCH (FLAGS ())\r\n"
    plan = FetchPlan([FetchKind.UID], by_uid=True, by_uid_alone=True)
    assert plan.rows(view, Columns([5])) == b"* 5 UIDFETCH (UID 5)\r\n"
    plan = FetchPlan([Section(b"BODY[]")], by_uid=True, by_uid_alone=True)
    assert plan.large_row(view, Columns([5], sizes=[2]), None)[0] == b"* 5 UIDFETCH ("
