"""What is received, plain or compressed, however it is cut. RFC 4978 §3; RFC 8437 §4.1"""

from __future__ import annotations

import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_mail_node.wire.imap.compression import PIECE_OCTETS
from twisted_mail_node.wire.imap.input import Input

LAST = b"a1 UNAUTHENTICATE"
PLAIN = (b"a2 NOOP", b"a3 LOGOUT")


def deflated(stream, line, flush=zlib.Z_SYNC_FLUSH):
    return stream.compress(line + b"\r\n") + stream.flush(flush)


def cut(octets, places):
    """The octets in pieces, cut at these places."""
    ends = sorted({place % (len(octets) + 1) for place in places} | {len(octets)})
    return [octets[start:end] for start, end in zip([0, *ends], ends, strict=False)]


@given(
    st.lists(st.text("ab ", max_size=8).map(str.encode), max_size=6),
    st.integers(9, 15),
    st.sampled_from([zlib.Z_SYNC_FLUSH, zlib.Z_FULL_FLUSH, zlib.Z_FINISH]),
    st.lists(st.integers(0, 400), max_size=12),
)
def test_every_line_is_read_compressed_and_plain_behind_the_end(lines, window, end, places):
    stream = zlib.compressobj(6, zlib.DEFLATED, -window)
    octets = b"".join(deflated(stream, line) for line in lines) + deflated(stream, LAST, end)
    octets += b"".join(line + b"\r\n" for line in PLAIN)
    received = Input(100)
    received.start_inflating()
    read = []
    for piece in cut(octets, places):
        received.receive(piece)
        more = True
        while more:
            while (line := received.take_line()) is not None:
                read.append(line)
                if line == LAST:
                    received.stop_inflating()
            more = received.is_compressed and received.inflate_more()
    assert read == [*lines, LAST, *PLAIN]


def test_a_few_octets_are_inflated_in_pieces_and_what_came_before_was_compressed_as_well():
    stream = zlib.compressobj(9, zlib.DEFLATED, -15)
    octets = stream.compress(b"x" * 10 * PIECE_OCTETS) + stream.flush(zlib.Z_SYNC_FLUSH)
    received = Input(100)
    received.receive(octets[:5])
    received.start_inflating()
    received.receive(octets[5:])
    pieces = 0
    while received.inflate_more():
        assert len(received) <= PIECE_OCTETS
        received.clear()
        pieces += 1
    assert pieces >= 10


def test_what_is_not_compressed_as_agreed_is_refused():
    received = Input(100)
    received.start_inflating()
    received.receive(b"a2 NOOP\r\n")
    with pytest.raises(ValueError, match="not DEFLATE"):
        received.inflate_more()
