from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_mail_node.mail.columns import INLINE_BODY_OCTETS, InternalDate
from twisted_mail_node.mail.flags import NO_FLAGS
from twisted_mail_node.mail.transaction import Body
from twisted_mail_node.moving.content import LineEnds, LineFeeds, rest
from twisted_mail_node.moving.source import CannotRead, Original

_pieces = st.lists(st.sampled_from([b"", b"\r", b"\n", b"\r\n", b"x", b"\n\n", b"\r\r"]), max_size=12)


def original(*pieces, **more):
    return Original("a message", bytes(16), NO_FLAGS, InternalDate(0), lambda: iter(pieces), **more)


def no_stage(pieces, measure):
    raise AssertionError("a small message was staged")


@pytest.mark.parametrize(
    ("came", "rests"),
    [
        (b"a\nb\r\nc\n", b"a\r\nb\r\nc\r\n"),
        (b"a\nb\n", b"a\r\nb\r\n"),
        (b"a\r\nb\r\n", b"a\r\nb\r\n"),
        (b"a\rb\r", b"a\rb\r"),
        (b"\n\r\n\r", b"\r\n\r\n\r"),
    ],
)
def test_bare_line_feeds_become_line_ends(came, rests):
    assert LineEnds().feed(came) == rests


@given(_pieces)
def test_line_ends_are_made_however_it_is_cut(pieces):
    whole, cut = LineEnds(), LineEnds()
    made = b"".join(map(cut.feed, pieces))
    assert made == whole.feed(b"".join(pieces))
    assert made.count(b"\n") == made.count(b"\r\n")


@given(_pieces)
def test_line_feeds_are_made_and_tell_whether_they_can_be_undone(pieces):
    feeds = LineFeeds()
    made = b"".join(feeds.of(pieces))
    whole = b"".join(pieces)
    assert made == whole.replace(b"\r\n", b"\n")
    if feeds.is_lossless:
        assert LineEnds().feed(made) == whole


@pytest.mark.parametrize(
    ("pieces", "header_size", "remarks"),
    [
        ((b"A: 1\n", b"\nbody\n"), 8, []),
        ((b"A: 1\r", b"\n\r", b"\nbody"), 8, []),
        ((b"A: 1\n",), 6, []),
        ((b"\nbody",), 2, ["it does not begin with a header"]),
        ((b"no header",), 9, ["it does not begin with a header"]),
        ((b"A: \0\n\n",), 8, ["it has NUL octets"]),
    ],
)
def test_a_small_message_is_measured(pieces, header_size, remarks):
    rested = rest(original(*pieces), no_stage)
    body = rested.body
    assert body.content == LineEnds().feed(b"".join(pieces))
    assert (body.size, body.header_size, rested.remarks) == (len(body.content), header_size, remarks)
    assert body.eight_bit is False


def test_the_envelope_is_made():
    assert b'"hello"' in rest(original(b"Subject: hello\n\n"), no_stage).body.envelope
    assert rest(original(b"Subject: hello\n"), no_stage).body.envelope is None


def test_a_large_message_is_staged():
    staged = []

    def stage(pieces, measure):
        staged.extend(pieces)
        return Body(measure.size, measure.header_size, staged="there", eight_bit=measure.eight_bit)

    lines = b"caf\xc3\xa9\n" * 10_000
    body = rest(original(b"A: 1\n\n", *[lines] * 6), stage).body
    assert b"".join(staged) == b"A: 1\r\n\r\n" + lines.replace(b"\n", b"\r\n") * 6
    assert body == Body(8 + 70_000 * 6, 8, staged="there", eight_bit=True, envelope=body.envelope)
    assert body.size > INLINE_BODY_OCTETS
    assert body.envelope


def test_a_header_beyond_all_bounds_is_not_gathered():
    def stage(pieces, measure):
        for _ in pieces:
            pass
        return Body(measure.size, measure.header_size, staged="there")

    piece = b"A: 1\r\n" * 20_000
    body = rest(original(*[piece] * 9, b"\r\nbody"), stage).body
    assert body.header_size == len(piece) * 9 + 2


def test_what_stands_behind_the_end_is_cut():
    message = original(b"A: 1\n\nbo", b"dy\n\n", size=14, line_feeds_only=True)
    assert rest(message, no_stage).body.content == b"A: 1\r\n\r\nbody\r\n"


def test_each_line_feed_is_an_end_where_the_source_says_so():
    message = original(b"A: 1\r\n\r", b"\nx", line_feeds_only=True)
    assert rest(message, no_stage).body.content == b"A: 1\r\r\n\r\r\nx"


def test_nothing_is_no_message():
    with pytest.raises(CannotRead, match="nothing"):
        rest(original(b""), no_stage)
