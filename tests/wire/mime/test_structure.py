"""The tree of parts, its wire forms, and sections by offsets."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_mail_node.wire.mime.body_structure import body_structure, without_extensions
from twisted_mail_node.wire.mime.section import SectionText, locate
from twisted_mail_node.wire.mime.structure import DEPTH_LIMIT, PART_LIMIT, StructureScanner, structure_of

SIMPLE = b"From: a@b\r\nContent-Type: Text/HTML; charset=utf-8; format=flowed\r\n\r\n<p>\r\n</p>\r\n"

NESTED = b"""From: a@b
Content-Type: multipart/mixed; boundary="x y"
MIME-Version: 1.0

preamble
--x y
Content-Type: text/plain; charset=utf-8
Content-ID: <1@x>
Content-Description: the first

hello
world
--x y  \x20
Content-Type: message/rfc822
Content-Disposition: attachment; filename="a b.eml"
Content-Language: de, en

Subject: inner
From: q@r
Content-Type: multipart/alternative; boundary=yy

--yy

one
--yy
Content-Type: text/html

<p>

--yy--

--x y
Content-Type: image/png
Content-Transfer-Encoding: base64
Content-MD5: abc
Content-Location: http://x/

AAAA
--x y--
epilogue
--x y
""".replace(b"\n", b"\r\n")


def section(message, path, text):
    found = locate(structure_of(message), path, SectionText(text))
    return None if found is None else message[found[0] : found[1]]


def test_a_single_part():
    assert body_structure(structure_of(SIMPLE)) == (
        b'("Text" "HTML" ("charset" "utf-8" "format" "flowed") NIL NIL "7bit" 11 2 NIL NIL NIL NIL)'
    )


def test_without_content_type_it_is_plain_text_in_ascii():
    plain = b'("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 4 1)'
    assert body_structure(structure_of(b"A: b\r\n\r\nhi\r\n"), extensions=False) == plain
    assert body_structure(structure_of(b"Content-Type: ???\r\n\r\nhi\r\n"), extensions=False) == plain
    assert body_structure(structure_of(b"Content-Type: multipart/mixed\r\n\r\nhi\r\n"), extensions=False) == plain


def test_nested_parts():
    first = b'("text" "plain" ("charset" "utf-8") "<1@x>" "the first" "7bit" 12 1 NIL NIL NIL NIL)'
    q = b'((NIL NIL "q" "r"))'
    inner = (
        b'(("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 3 0 NIL NIL NIL NIL)'
        b'("text" "html" NIL NIL NIL "7bit" 5 1 NIL NIL NIL NIL) "alternative" ("boundary" "yy") NIL NIL NIL)'
    )
    attached = (
        b'("message" "rfc822" NIL NIL NIL "7bit" 140 (NIL "inner" '
        + q
        + b" "
        + q
        + b" "
        + q
        + b" NIL NIL NIL NIL NIL) "
        + inner
        + b' 13 NIL ("attachment" ("filename" "a b.eml")) ("de" "en") NIL)'
    )
    image = b'("image" "png" NIL NIL NIL "base64" 4 "abc" NIL NIL "http://x/")'
    expected = b"(" + first + attached + image + b' "mixed" ("boundary" "x y") NIL NIL NIL)'
    assert body_structure(structure_of(NESTED)) == expected


def test_body_is_body_structure_without_extensions():
    for message in (SIMPLE, NESTED, b"", b"Content-Type: multipart/mixed; boundary=x\r\n\r\n"):
        root = structure_of(message)
        assert without_extensions(body_structure(root)) == body_structure(root, extensions=False)


def test_a_multipart_without_parts_shows_one_empty_part():
    assert body_structure(structure_of(b"Content-Type: multipart/mixed; boundary=x\r\n\r\n"), extensions=False) == (
        b'(("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 0 0) "mixed")'
    )


def test_parts_of_a_digest_are_messages():
    message = b"Content-Type: multipart/digest; boundary=x\r\n\r\n--x\r\n\r\nSubject: s\r\n\r\nt\r\n--x--\r\n"
    assert structure_of(message).children[0].is_message
    assert section(message, (1,), "HEADER") == b"Subject: s\r\n\r\n"
    assert section(message, (1, 1), "") == b"t"


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ((), "", NESTED),
        ((), "HEADER", NESTED[: NESTED.index(b"preamble")]),
        ((), "TEXT", NESTED[NESTED.index(b"preamble") :]),
        ((), "MIME", None),
        ((1,), "", b"hello\r\nworld"),
        (
            (1,),
            "MIME",
            b"Content-Type: text/plain; charset=utf-8\r\nContent-ID: <1@x>\r\nContent-Description: the first\r\n\r\n",
        ),
        ((1,), "HEADER", None),
        ((1, 1), "", None),
        ((2,), "HEADER", b"Subject: inner\r\nFrom: q@r\r\nContent-Type: multipart/alternative; boundary=yy\r\n\r\n"),
        ((2, 1), "", b"one"),
        ((2, 1), "MIME", b"\r\n"),
        ((2, 2), "", b"<p>\r\n"),
        ((2, 3), "", None),
        ((3,), "", b"AAAA"),
        ((3,), "TEXT", None),
        ((4,), "", None),
        ((0,), "", None),
    ],
)
def test_sections(path, text, expected):
    assert section(NESTED, path, text) == expected


def test_part_one_of_a_message_that_is_no_multipart_is_its_text():
    assert section(SIMPLE, (1,), "") == b"<p>\r\n</p>\r\n"
    assert section(SIMPLE, (1,), "MIME") == SIMPLE[: SIMPLE.index(b"<p>")]
    assert section(SIMPLE, (2,), "") is None
    assert section(SIMPLE, (1, 1), "") is None


def test_the_text_of_a_message_inside():
    message = b"Content-Type: message/rfc822\r\n\r\nSubject: in\r\n\r\ntext\r\n"
    assert section(message, (1,), "HEADER") == b"Subject: in\r\n\r\n"
    assert section(message, (1,), "TEXT") == b"text\r\n"
    assert section(message, (1, 1), "") == b"text\r\n"


def test_deeper_than_the_limit_is_opaque():
    deep = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (i, i) for i in range(3000))
    part, depth = structure_of(deep), 1
    while part.children:
        part, depth = part.children[0], depth + 1
    assert depth == DEPTH_LIMIT
    assert (part.type, part.subtype) == (b"application", b"octet-stream")
    body_structure(structure_of(b"Content-Type: message/rfc822\r\n\r\n" * 3000))


def test_more_parts_than_the_limit_stay_in_the_last():
    many = b"Content-Type: multipart/mixed; boundary=x\r\n\r\n" + b"--x\r\n\r\na\r\n" * (PART_LIMIT + 5)
    assert len(structure_of(many).children) <= PART_LIMIT


@pytest.mark.parametrize("line", [b"\n--", b"--x\n", b"\r\n--x--", b"\n--" + b"y" * 900, b"A:b\n", b"\n"])
def test_long_nonsense_takes_linear_time(line):
    structure_of(NESTED[: NESTED.index(b"AAAA")] + line * 100_000)
    structure_of(line * 100_000)


def cut(message, size):
    scanner = StructureScanner()
    for start in range(0, len(message), size):
        scanner.feed(message[start : start + size])
    return scanner.finish()


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64])
def test_any_cutting_gives_the_same_tree(size):
    assert cut(NESTED, size) == structure_of(NESTED)
    assert cut(NESTED.replace(b"\r\n", b"\n"), size) == structure_of(NESTED.replace(b"\r\n", b"\n"))


pieces = st.sampled_from(
    [b"--x", b"--", b"\r\n", b"\n", b"\r", b"a", b"Content-Type: multipart/mixed; boundary=x\r\n", b" ",
     b"Content-Type: message/rfc822\n", b"content-type: text/plain;", b'charset="', b"\r\n\r\n", b"--y", b"boundary=y",
     b"Content-Type: multipart/digest; boundary=y\r\n\r\n"]
)  # fmt: skip


def check(part, low, high):
    assert low <= part.header_start <= part.body_start <= part.body_end <= high
    for child in part.children:
        check(child, part.body_start, part.body_end)


@given(st.lists(pieces, max_size=30).map(b"".join) | st.binary(max_size=200), st.integers(1, 20))
def test_whatever_comes_there_is_a_sound_tree(message, size):
    root = structure_of(message)
    check(root, 0, len(message))
    assert root.body_end == len(message)
    assert without_extensions(body_structure(root)) == body_structure(root, extensions=False)
    assert cut(message, size) == root


def test_words_of_the_sender_may_need_literals():
    message = (
        b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Description: \xe3\x81\x82 (\r\n"
        b"Content-Language: , \r\nContent-Disposition: ;\r\n\r\na\r\n--x--\r\n"
    )
    root = structure_of(message)
    assert body_structure(root) == (
        b'(("text" "plain" ("charset" "us-ascii") NIL {5}\r\n\xe3\x81\x82 ( "7bit" 1 0 NIL NIL NIL NIL)'
        b' "mixed" ("boundary" "x") NIL NIL NIL)'
    )
    assert without_extensions(body_structure(root)) == body_structure(root, extensions=False)


def test_a_line_too_long_to_be_a_delimiter_is_none():
    head = b"Content-Type: multipart/mixed; boundary=" + b"x" * 2000 + b"\r\n\r\n"
    assert not structure_of(head + b"--" + b"x" * 2000 + b"\r\n\r\na\r\n").children
    assert not structure_of(head + b"--" + b"x" * 2000).children


def test_a_part_that_ends_within_its_header():
    message = (
        b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Type: multipart/mixed; boundary=y\r\n--x--"
    )
    assert [part.children for part in structure_of(message).children] == [[]]
    message = b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Type: message/rfc822\r\n--x--"
    assert structure_of(message).children[0].subtype == b"octet-stream"
    assert structure_of(b"Content-Type: message/rfc822").is_message


def test_an_inner_boundary_that_is_the_outer_one_counts_for_the_outer():
    message = (
        b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n"
        b"--x\r\n\r\na\r\n--x--\r\n"
    )
    assert [len(part.children) for part in structure_of(message).children] == [0, 0]


def test_a_header_beyond_the_limit_is_passed_over():
    message = b"Subject: " + b"x" * 400_000 + b"\r\nContent-Type: text/html\r\n\r\nhi"
    root = structure_of(message)
    assert (root.subtype, root.size) == (b"plain", 2)
    assert cut(message, 50_000) == root


def test_parts_of_a_digest_may_say_what_they_are():
    message = (
        b"Content-Type: multipart/digest; boundary=x\r\n\r\n--x\r\nContent-ID: a\r\n\r\nS: s\r\n\r\nt\r\n--x--\r\n"
    )
    assert structure_of(message).children[0].is_message
    assert structure_of(message.replace(b"Content-ID: a", b"Content-Type: text/plain")).children[0].type == b"text"
