"""Messages in lines of text: whatever is kept, what comes out can be carried, and what could be is not touched."""

from __future__ import annotations

import itertools
import re
from base64 import b64decode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_mail_node.wire.mime.headers import HEADER_LIMIT_OCTETS
from twisted_mail_node.wire.mime.structure import structure_of
from twisted_mail_node.wire.mime.surrogate import Surrogate, surrogate_of

NOBODY = b"<invalid@internationalized-address.invalid>"
MULTIPART = b"Content-Type: multipart/mixed; boundary=b\r\n"


def in_pieces(content, cuts, **options):
    edges = [0, *sorted(min(cut, len(content)) for cut in cuts), len(content)]
    surrogate = Surrogate(**options)
    return b"".join([surrogate.feed(content[a:b]) for a, b in itertools.pairwise(edges)]) + surrogate.end()


def in_ascii(content):
    """The surrogate, which is the same whatever the pieces."""
    made = surrogate_of(content, ascii_headers=True)
    for size in (1, 2, 7):
        assert in_pieces(content, range(0, len(content), size), ascii_headers=True) == made
    return made


# -- line ends ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "lines"),
    [
        (b"A: 1\n\nb\n", b"A: 1\r\n\r\nb\r\n"),
        (b"A: 1\r\n\r\na\rb\n.\n\r\r\r\nc", b"A: 1\r\n\r\na b\r\n.\r\n  \r\nc"),
        (b"A: 1\r\n\r\nend\r", b"A: 1\r\n\r\nend "),
        (b"A: 1\r\n\r\na\0b\r\n", b"A: 1\r\n\r\na\x80b\r\n"),
        (b"A: 1\rB: 2\0\r\nC: 3\r\r\n\r\nx", b"A: 1?B: 2?\r\nC: 3?\r\n\r\nx"),
        (b"", b""),
        (b"\r\nbody\r\n", b"\r\nbody\r\n"),
        (b"A: header only", b"A: header only"),
    ],
)
def test_every_line_ends_with_crlf(content, lines):
    assert in_ascii(content) == lines
    assert surrogate_of(content, ascii_headers=False) == lines


# -- binary parts ---------------------------------------------------------------------------------------------------

OCTETS = bytes(range(256)) + b"\r\n.\r\n\n.\n\0--b--\r\r"


def test_binary_content_comes_in_base64():
    made = in_ascii(b"Content-Transfer-Encoding: BINARY\r\nSubject: x\r\n\r\n" + OCTETS)
    header, _, body = made.partition(b"\r\n\r\n")
    assert header == b"Content-Transfer-Encoding: base64\r\nSubject: x"
    assert b64decode(body) == OCTETS
    assert max(map(len, body.split(b"\r\n"))) == 76
    assert body.endswith(b"=\r\n")


def test_binary_content_without_any_ends_with_a_line_all_the_same():
    header = b"Content-Transfer-Encoding: %b\r\n\r\n"
    assert in_ascii(header % b"binary") == header % b"base64" + b"\r\n"


def test_parts_are_encoded_each_for_itself():
    content = (
        MULTIPART + b"content-transfer-encoding:\r\n binary\r\n\r\npreamble\n"
        b"--b\r\nContent-Transfer-Encoding: binary\r\n\r\n" + OCTETS + b"\r\n"
        b"--b\r\n\r\ntext\nlines\r\n"
        b"--b\r\nContent-Transfer-Encoding: binary\r\n\r\n\r\n"
        b"--b\r\nContent-Type: message/rfc822\r\nContent-Transfer-Encoding: binary\r\n\r\n"
        b"Content-Transfer-Encoding: binary\r\n\r\ninner\n\r\n--b--\r\nepilogue\n"
    )
    made = in_ascii(content)
    assert made.startswith(MULTIPART + b"content-transfer-encoding: 8bit\r\n\r\npreamble\r\n--b\r\n")
    assert made.endswith(b"\r\n--b--\r\nepilogue\r\n")
    first, second, third, fourth = structure_of(made).children
    assert [part.encoding for part in (first, second, third, fourth)] == [b"base64", b"7bit", b"base64", b"8bit"]
    assert b64decode(made[first.body_start : first.body_end]) == OCTETS
    assert made[second.body_start : second.body_end] == b"text\r\nlines"
    assert third.size == 0
    (inner,) = fourth.children
    assert inner.encoding == b"base64"
    assert b64decode(made[inner.body_start : inner.body_end]) == b"inner\n"


# -- headers --------------------------------------------------------------------------------------------------------


def test_headers_of_parts_and_of_messages_inside_are_downgraded_too():
    content = (
        "From: Grå <grå@grå.org>\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
        "--b\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\nGrüße\r\n"
        "--b\r\nContent-Disposition: attachment; filename=ü\r\nX-Ü: 1\r\n\r\nx\r\n"
        "--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: ü\r\n\r\nü\r\n--b--\r\n"
    ).encode()
    expected = (
        b"From: =?utf-8?b?R3LDpSA8Z3LDpUBncsOlLm9yZz4=?=\r\n " + NOBODY + b"\r\n" + MULTIPART + b"\r\n"
        b"--b\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
        b"Gr\xc3\xbc\xc3\x9fe\r\n"
        b"--b\r\nContent-Disposition: attachment;\r\n filename*=utf-8''%C3%BC\r\n\r\nx\r\n"
        b"--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: =?utf-8?b?w7w=?=\r\n\r\n\xc3\xbc\r\n--b--\r\n"
    )
    assert in_ascii(content) == expected
    assert surrogate_of(content, ascii_headers=False) == content


def test_delimiter_right_behind_a_header_ends_it():
    content = MULTIPART + "\r\n--b\r\nSubject: ü\r\n--b\r\nX: ü\r\n\r\nü".encode()
    expected = MULTIPART + b"\r\n--b\r\nSubject: =?utf-8?b?w7w=?=\r\n--b\r\n\r\n\xc3\xbc"
    assert in_ascii(content) == expected


@pytest.mark.parametrize("piece", [1000, 64 * 1024, 10_000_000])
def test_header_beyond_the_limit_streams_with_what_is_not_ascii_masked(piece):
    header = "Subject: ü\r\n".encode() + "X: é\n".encode() * 100_000
    content = header + b"Content-Transfer-Encoding: binary\r\n\r\n" + "ü\n".encode()
    surrogate, made, most = Surrogate(ascii_headers=True), [], 0
    for start in range(0, len(content), piece):
        made.append(surrogate.feed(content[start : start + piece]))
        most = max(most, len(surrogate._waiting))
    made.append(surrogate.end())
    assert most <= HEADER_LIMIT_OCTETS + min(piece, len(content))
    expected = b"Subject: ??\r\n" + b"X: ??\r\n" * 100_000 + b"Content-Transfer-Encoding: binary\r\n\r\n"
    if piece <= HEADER_LIMIT_OCTETS:
        assert b"".join(made) == expected + b"\xc3\xbc\r\n"
        surrogate = Surrogate(ascii_headers=False)
        pieces = [surrogate.feed(content[start : start + piece]) for start in range(0, len(content), piece)]
        assert b"".join(pieces) + surrogate.end() == content.replace(b"\n", b"\r\n").replace(b"\r\r", b"\r")


def test_body_of_any_size_takes_no_memory():
    surrogate = Surrogate(ascii_headers=True)
    surrogate.feed(MULTIPART + b"\r\n--b\r\n\r\n")
    for octets in (b"x" * 65536, b"\r\n--" * 10_000, b"\n" * 65536, b"--b-" * 16384):
        surrogate.feed(octets)
        assert len(surrogate._waiting) < 2000


# -- whatever comes -------------------------------------------------------------------------------------------------

TOKENS = st.sampled_from(
    [b"\r\n", b"\n", b"\r", b"\0", b"\xc3\xbc", b"\xff", b"a", b".", b"--b", b"--b--", b"--", b"Subject: ", b"To: a@x",
     MULTIPART, b"Content-Transfer-Encoding: binary\r\n", b"Content-Type: message/rfc822\r\n", b"\r\n\r\n"]
)  # fmt: skip
CONTENT = st.lists(TOKENS, max_size=40).map(b"".join)
HEADED = st.lists(
    st.sampled_from([MULTIPART, b"Content-Transfer-Encoding: binary\r\n", "To: ü\r\n".encode()]), max_size=2
)


@given(HEADED.map(b"".join), CONTENT, st.lists(st.integers(0, 400), max_size=8), st.booleans())
def test_any_cutting_gives_the_same_and_only_lines_of_text(header, content, cuts, ascii_headers):
    content = header + content
    made = surrogate_of(content, ascii_headers=ascii_headers)
    assert in_pieces(content, cuts, ascii_headers=ascii_headers) == made
    assert made.count(b"\r") == made.count(b"\n") == made.count(b"\r\n")
    assert b"\0" not in made
    if ascii_headers:
        assert made[: structure_of(made).body_start].isascii()


@given(HEADED.map(b"".join), CONTENT)
def test_what_needs_nothing_is_not_touched(header, content):
    content = re.sub(rb"[\0\x80-\xff]", b"?", re.sub(rb"\r\n|\r|\n", b"\r\n", header + content)).replace(
        b"binary", b"8bit"
    )
    assert surrogate_of(content, ascii_headers=True) == content


@given(HEADED.map(b"".join), CONTENT, st.booleans())
def test_the_surrogate_of_a_surrogate_is_itself(header, content, ascii_headers):
    made = surrogate_of(header + content, ascii_headers=ascii_headers)
    assert surrogate_of(made, ascii_headers=ascii_headers) == made


# -- for who takes octets as they are ---------------------------------------------------------------------------------

BARE = b"Subject: \xc3\xa4\nContent-Type: multipart/mixed; boundary=x\n\n--x\nContent-Transfer-Encoding: binary\n\n"


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_without_lines_headers_alone_get_another_form(size):
    content = BARE + b"a\0\r\n\xe4\n\r--x--\n"
    surrogate = Surrogate(ascii_headers=True, as_lines=False)
    made = b"".join([surrogate.feed(content[at : at + size]) for at in range(0, len(content), size)]) + surrogate.end()
    assert made == (
        b"Subject: =?utf-8?b?w6Q=?=\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x\n"
        b"Content-Transfer-Encoding: binary\n\na\0\r\n\xe4\n\r--x--\n"
    )


@given(st.binary(max_size=200).map(lambda octets: b"Subject: x\n\n" + octets))
def test_without_lines_what_has_headers_in_ascii_stays_as_it_is(content):
    assert surrogate_of(content, ascii_headers=True, as_lines=False) == content


def test_the_headers_of_a_global_message_inside_are_downgraded_too():
    content = b"Content-Type: message/global\r\n\r\nSubject: \xc3\xa4\r\n\r\n\xc3\xa4\r\n"
    made = surrogate_of(content, ascii_headers=True, as_lines=False)
    assert made == b"Content-Type: message/global\r\n\r\nSubject: =?utf-8?b?w6Q=?=\r\n\r\n\xc3\xa4\r\n"
