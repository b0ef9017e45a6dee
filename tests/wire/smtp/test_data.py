"""The data reader against a slow, obvious reading of the same octets. Source: RFC 5321 §4.5.2, §4.1.1.4."""

from __future__ import annotations

import re
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_mail_node.wire.smtp.data import DataReader


def read_whole(data: bytes, cuts: list[int], *, normalise: bool = False) -> tuple[bytes, bool, bytes, bool]:
    reader, content, start = DataReader(normalise=normalise), b"", 0
    for end in [*sorted(cuts), len(data)]:
        if reader.ended:
            break
        content += reader.receive(data[start:end])
        start = end
    return content, reader.ended, reader.rest + data[start:] if reader.ended else b"", reader.bare_newlines


def read_slowly(data: bytes) -> tuple[bytes, bool, bytes, bool]:
    """Line by line; a line ends with CRLF only."""
    content = b""
    while True:
        line, end, data = data.partition(b"\r\n")
        if not end:
            return content, False, b"", False
        if line == b".":
            left = content.replace(b"\r\n", b"")
            return content, True, data, b"\r" in left or b"\n" in left
        content += (line[1:] if line.startswith(b".") else line) + b"\r\n"


_evil = st.lists(st.sampled_from([b"\r", b"\n", b".", b"a", b"\r\n", b"\r\n.", b"\r\n.\r\n"]), max_size=30).map(
    b"".join
)


@given(_evil, st.lists(st.integers(0, 60), max_size=8))
def test_any_cutting_reads_as_line_by_line(data: bytes, cuts: list[int]) -> None:
    content, ended, rest, is_bare = read_whole(data, cuts)
    slow = read_slowly(data)
    if slow[1]:
        assert (content, ended, rest, is_bare) == slow
    else:
        assert not ended
        # What is not complete may be given as far as it is certain.
        assert content.startswith(slow[0][: len(content)])


@given(_evil, st.integers(1, 3))
def test_octets_come_out_the_same_one_by_one(data: bytes, piece: int) -> None:
    cuts = list(range(piece, len(data), piece))
    assert read_whole(data, cuts) == read_whole(data, [])


@given(_evil, st.lists(st.integers(0, 60), max_size=8))
def test_normalised_content_has_no_lone_cr_or_lf(data: bytes, cuts: list[int]) -> None:
    content, ended, rest, is_bare = read_whole(data + b"\r\n.\r\n", cuts, normalise=True)
    plain = content.replace(b"\r\n", b"")
    assert b"\r" not in plain
    assert b"\n" not in plain
    assert ended
    assert (rest, is_bare) == read_slowly(data + b"\r\n.\r\n")[2:]


@given(_evil, st.lists(st.integers(0, 60), max_size=8))
def test_stuffed_content_is_read_as_it_was(lines: bytes, cuts: list[int]) -> None:
    content = lines + b"\r\n"
    sent = (b"\r\n" + content).replace(b"\r\n.", b"\r\n..")[2:] + b".\r\nQUIT\r\n"
    got, ended, rest, _ = read_whole(sent, cuts)
    assert (got, ended, rest) == (content, True, b"QUIT\r\n")


def test_an_empty_message_is_a_dot_at_once() -> None:
    assert read_whole(b".\r\nNOOP\r\n", []) == (b"", True, b"NOOP\r\n", False)


SMUGGLING = [
    b"\n.\n",
    b"\n.\r\n",
    b"\r\n.\n",
    b"\r.\r",
    b"\r.\r\n",
    b"\r\n.\r",
    b"\n.\r",
    b"\r\r\n.\r\r\n",
    b"\r\n\x00.\r\n",
    b"\n\n.\r\n",
]


@pytest.mark.parametrize("false_end", SMUGGLING)
@pytest.mark.parametrize("piece", [1, 2, 7, 1000])
def test_only_crlf_dot_crlf_ends_a_message(false_end: bytes, piece: int) -> None:
    data = b"Subject: a\r\n\r\nfirst" + false_end + b"MAIL FROM:<evil@x>\r\nDATA\r\n.\r\nQUIT\r\n"
    content, ended, rest, is_bare = read_whole(data, list(range(piece, len(data), piece)))
    assert ended
    assert rest == b"QUIT\r\n"
    assert b"MAIL FROM:<evil@x>" in content
    assert is_bare or false_end == b"\r\n\x00.\r\n"


@given(st.text("\r\n.x\0").map(str.encode), st.lists(st.integers(0, 60), max_size=6))
def test_lone_newlines_and_nul_are_noticed_however_they_are_cut(data: bytes, cuts: list[int]) -> None:
    reader, start = DataReader(), 0
    for end in [*sorted(cuts), None]:
        if not reader.ended:
            reader.receive(data[start:end])
        start = end or 0
    if not reader.ended:
        reader.receive(b"\r\n.\r\n")
    content = (b"\r\n" + data + b"\r\n.\r\n").partition(b"\r\n.\r\n")[0]
    assert reader.bare_newlines is (re.search(rb"\r(?!\n)|(?<!\r)\n", content + b"\r\n") is not None)
    assert reader.nul is (b"\0" in content)


def test_memory_held_back_is_a_few_octets() -> None:
    reader = DataReader()
    given_octets = sum(len(reader.receive(b"\r\n.")) for _ in range(1000))
    assert 3000 - given_octets - 1000 <= 4


def test_only_crlf_dot_crlf_ends_the_content() -> None:
    """Every string of CR, LF, dot and a letter up to seven octets, whole and octet by octet."""
    for length in range(8):
        for octets in product(b"\r\n.a", repeat=length):
            data = bytes(octets)
            at = (b"\r\n" + data).find(b"\r\n.\r\n")
            whole, one_by_one = read_whole(data, []), read_whole(data, list(range(1, length)))
            assert whole == one_by_one
            assert whole[1] is (at >= 0), data
            if at >= 0:
                assert whole[2] == data[at + 3 :], data
