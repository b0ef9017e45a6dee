"""Messages as they are sent: stuffing, cutting."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_mail_node.wire.pop3 import content as content_of
from twisted_mail_node.wire.pop3.content import Stuffing, TopCut


@pytest.mark.parametrize(
    ("content", "sent"),
    [
        (b"a: b\r\n\r\nc\r\n", b"a: b\r\n\r\nc\r\n.\r\n"),
        (b".a\r\n..\r\n.\r\n", b"..a\r\n...\r\n..\r\n.\r\n"),
        (b"", b".\r\n"),
        (b".", b"..\r\n.\r\n"),
        (b"no end", b"no end\r\n.\r\n"),
        (b"a\r", b"a\r\r\n.\r\n"),
        (b"a\n.b\r\n", b"a\n.b\r\n.\r\n"),
        (b"\r\n.\r\n.\r\n", b"\r\n..\r\n..\r\n.\r\n"),
    ],
)
def test_message_is_stuffed_and_ended(content, sent):
    assert content_of.message(content) == b"+OK %d octets\r\n" % len(content) + sent
    assert content_of.stuffed(content) == sent


def unstuffed(sent):
    """What a client makes of it."""
    lines = sent.split(b"\r\n")
    end = lines.index(b".")
    assert lines[end + 1 :] == [b""]
    return b"".join((line[1:] if line.startswith(b".") else line) + b"\r\n" for line in lines[:end])


CONTENT = st.lists(st.sampled_from([b".", b"\r\n", b"\r", b"\n", b"a", b"..", b"\r\n."]), max_size=30).map(b"".join)


@given(CONTENT, st.lists(st.integers(0, 40), max_size=6))
def test_any_cutting_is_stuffed_the_same_and_comes_back(content, cuts):
    edges = [0, *sorted(min(cut, len(content)) for cut in cuts), len(content)]
    stuffing = Stuffing()
    pieces = [stuffing.feed(content[a:b]) for a, b in itertools.pairwise(edges)]
    sent = b"".join(pieces) + stuffing.end()
    assert content_of.message(content) == content_of.message_follows(len(content)) + sent
    ended = content if content.endswith(b"\r\n") or not content else content + b"\r\n"
    assert unstuffed(sent) == ended


MAIL = b"A: 1\r\nB: 2\r\n\r\none\r\ntwo\r\n\r\nthree\r\n"


@pytest.mark.parametrize(
    ("content", "lines", "shown"),
    [
        (MAIL, 0, b"A: 1\r\nB: 2\r\n\r\n"),
        (MAIL, 1, b"A: 1\r\nB: 2\r\n\r\none\r\n"),
        (MAIL, 3, b"A: 1\r\nB: 2\r\n\r\none\r\ntwo\r\n\r\n"),
        (MAIL, 4, MAIL),
        (MAIL, 9999999999, MAIL),
        (b"\r\nbody only\r\nx", 1, b"\r\nbody only\r\n"),
        (b"\r\nbody only\r\nx", 2, b"\r\nbody only\r\nx"),
        (b"A: header only\r\n", 0, b"A: header only\r\n"),
        (b"", 3, b""),
    ],
)
def test_top_is_cut_behind_the_lines_whatever_the_pieces(content, lines, shown):
    for size in (1, 2, 3, 7, 1000):
        cut = TopCut(lines)
        pieces = []
        for start in range(0, len(content), size):
            if cut.done:
                break
            pieces.append(cut.feed(content[start : start + size]))
        assert b"".join(pieces) == shown


def test_an_empty_piece_changes_nothing():
    stuffing = Stuffing()
    assert [stuffing.feed(piece) for piece in (b"a\r", b"", b"\n.", b"", b"\r\n", b"", b".")] == [
        b"a\r", b"", b"\n..", b"", b"\r\n", b"", b"..",
    ]  # fmt: skip
