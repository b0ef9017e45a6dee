"""Content on its way out: dots, chunks, and no second reading of where it ends (RFC 5321 §4.5.2, RFC 3030 §2)."""

from __future__ import annotations

import re
from itertools import pairwise, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_mail_node.wire.smtp.content_writer import ChunkWriter, DottedWriter
from twisted_mail_node.wire.smtp.data import DataReader

PIECES = st.lists(st.sampled_from([b".", b"\r", b"\n", b"\r\n", b"x", b"\0", b"\xff"]), max_size=30).map(b"".join)
CUTS = st.lists(st.integers(0, 60))

# How servers have been seen to end content: with bare CR or LF in some place of CRLF.CRLF, or dots in the open.
OTHER_ENDS = [
    b"".join(parts)
    for parts in product((b"\r\n", b"\n", b"\r", b"\r\r\n"), (b".", b"\0."), (b"\r\n", b"\n", b"\r", b"\r\r\n", b""))
]
SMUGGLED = b"MAIL FROM:<a@a.test>\r\nRCPT TO:<b@b.test>\r\nDATA\r\nSubject: smuggled\r\n"


def cut(data, at):
    edges = [0, *sorted(min(n, len(data)) for n in at), len(data)]
    return [data[a:b] for a, b in pairwise(edges)]


def written(writer, pieces):
    return b"".join(writer.write(piece, last=False) for piece in pieces) + writer.write(b"", last=True)


def after_data(*pieces):
    return written(DottedWriter(), pieces)


def chunks(wire):
    """The chunks as a server takes them, and whether the last one was LAST."""
    found, is_last = [], False
    while wire:
        assert not is_last
        head, _, rest = wire.partition(b"\r\n")
        match = re.fullmatch(rb"BDAT (\d+)( LAST)?", head)
        size, is_last = int(match[1]), match[2] is not None
        assert len(rest) >= size
        found.append(rest[:size])
        wire = rest[size:]
    return found, is_last


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", b".\r\n"),
        (b".", b"..\r\n.\r\n"),
        (b".\r\n", b"..\r\n.\r\n"),
        (b"a\r\n.b\r\n..\r\n", b"a\r\n..b\r\n...\r\n.\r\n"),
        (b"a.b", b"a.b\r\n.\r\n"),
        (b"\r\n.\r\n.\r\n", b"\r\n..\r\n..\r\n.\r\n"),
        (b"a\r", b"a\r\n.\r\n"),
        (b"a\n.\nb", b"a\r\n..\r\nb\r\n.\r\n"),
        (b"a\r.\rb\n\r", b"a\r\n..\r\nb\r\n\r\n.\r\n"),
    ],
)
def test_dots_at_the_beginning_of_lines_are_doubled(content, expected):
    assert after_data(content) == expected


@given(PIECES, CUTS)
def test_content_is_the_same_however_it_is_cut(content, at):
    assert after_data(*cut(content, at)) == after_data(content)
    in_chunks, is_last = chunks(written(ChunkWriter(binary=False), cut(content, at)))
    assert is_last
    assert b"".join(in_chunks) == b"".join(chunks(written(ChunkWriter(binary=False), [content]))[0])


@pytest.mark.parametrize("end", OTHER_ENDS)
def test_no_end_but_the_last_one_is_in_what_goes_out(end):
    """RFC 5321 §4.1.1.4: however a server reads ends of lines, what follows a false end stays content."""
    wire = after_data(b"Subject: hi\r\n\r\nbody" + end + SMUGGLED)
    content, last = wire[:-5], wire[-5:]
    assert last == b"\r\n.\r\n"
    assert content.count(b"\r") == content.count(b"\n") == content.count(b"\r\n")
    assert not re.search(rb"(?:^|\r\n|\r|\n)\.(?:\r\n|\r|\n)", content)


@given(PIECES, CUTS)
def test_what_our_own_reader_takes_out_is_what_was_meant(content, at):
    reader = DataReader()
    taken = b""
    for piece in cut(after_data(content), at):
        assert not (reader.ended and piece)
        taken += reader.receive(piece) if piece else b""
    assert reader.ended
    assert (reader.rest, reader.bare_newlines) == (b"", False)
    lines = re.sub(rb"\r\n|\r|\n", b"\r\n", content)
    assert taken == (lines if not lines or lines.endswith(b"\r\n") else lines + b"\r\n")


@given(PIECES, CUTS)
def test_binary_content_goes_as_it_is(content, at):
    """RFC 3030 §3: all bits of each octet are preserved."""
    writer = ChunkWriter(binary=True)
    found, is_last = chunks(written(writer, cut(content, at)))
    assert is_last
    assert b"".join(found) == content
    assert writer.octets == len(content)


def test_each_piece_is_a_chunk_and_the_last_may_be_empty():
    writer = ChunkWriter(binary=False)
    assert writer.write(b"Subject: hi\r\n", last=False) == b"BDAT 13\r\nSubject: hi\r\n"
    assert writer.write(b"\r", last=False) == b""
    assert writer.write(b"\n.\r\n", last=False) == b"BDAT 5\r\n\r\n.\r\n"
    assert writer.write(b"", last=True) == b"BDAT 0 LAST\r\n"
    assert writer.octets == 18
