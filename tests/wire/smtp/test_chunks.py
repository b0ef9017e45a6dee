"""Content by BDAT: octets are counted, and no end is looked for. Source: RFC 3030 §2, §3."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_mail_node.wire.smtp.chunks import ChunkReader


def read(*chunks: bytes, cuts: tuple[int, ...] = (), binary: bool = False, normalise: bool = False) -> tuple:
    reader, content = ChunkReader(binary=binary, normalise=normalise), b""
    for number, chunk in enumerate(chunks, 1):
        reader.begin(len(chunk), number == len(chunks))
        start = 0
        for end in (*sorted(cut for cut in cuts if cut < len(chunk)), len(chunk)):
            content += reader.receive(chunk[start:end])
            start = end
        assert reader.left_octets == 0
    assert reader.is_last
    content += reader.finish()
    assert reader.finish() == b""
    assert reader.size_octets == len(content)
    return content, reader.bare_newlines, reader.nul


@pytest.mark.parametrize(
    ("chunks", "content"),
    [
        ([b""], b""),
        ([b"A: b\r\n\r\ntext\r\n"], b"A: b\r\n\r\ntext\r\n"),
        ([b"A: b\r", b"\n\r\ntext\r\n"], b"A: b\r\n\r\ntext\r\n"),
        ([b"A: b\r", b"", b"\n\r", b"\n"], b"A: b\r\n\r\n"),
        ([b".\r\n.\r\n..\r\nQUIT\r\n"], b".\r\n.\r\n..\r\nQUIT\r\n"),
        ([b"text"], b"text\r\n"),
        ([b"text\r\n", b""], b"text\r\n"),
        ([b"text\r\n", b"more", b""], b"text\r\nmore\r\n"),
    ],
)
def test_chunks_are_joined_and_the_last_line_is_ended(chunks: list[bytes], content: bytes) -> None:
    assert read(*chunks) == (content, False, False)


@pytest.mark.parametrize("data", [b"a\n", b"a\r", b"a\rb\r\n", b"\n\r", b"a\r\r\n", b"\r\n\n"])
def test_a_lone_cr_or_lf_is_noticed_or_made_whole(data: bytes) -> None:
    for pieces in ([data], [data[:1], data[1:]], [data[:-1], data[-1:]]):
        assert read(*pieces)[1]
        content, is_bare, _ = read(*pieces, normalise=True)
        assert is_bare
        plain = content.replace(b"\r\n", b"")
        assert b"\r" not in plain
        assert b"\n" not in plain


def test_nul_is_noticed() -> None:
    assert read(b"a\0b\r\n")[2]


@given(st.lists(st.binary(max_size=20), min_size=1, max_size=5), st.lists(st.integers(0, 20), max_size=4))
def test_binary_content_is_given_octet_for_octet(chunks: list[bytes], cuts: list[int]) -> None:
    assert read(*chunks, cuts=tuple(cuts), binary=True) == (b"".join(chunks), False, False)


_lines = st.lists(st.sampled_from([b"\r", b"\n", b".", b"a", b"\r\n", b"\0"]), max_size=12).map(b"".join)


@given(_lines, st.lists(st.integers(0, 30), max_size=5), st.lists(st.integers(0, 30), max_size=5), st.booleans())
def test_any_chunks_and_any_cutting_give_the_same(
    data: bytes, chunk_ends: list[int], cuts: list[int], normalise: bool
) -> None:
    ends = sorted(end for end in chunk_ends if end < len(data))
    chunks = [data[start:end] for start, end in zip([0, *ends], [*ends, len(data)], strict=True)]
    assert read(*chunks, cuts=tuple(cuts), normalise=normalise) == read(data, normalise=normalise)
