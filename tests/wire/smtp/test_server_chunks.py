"""The server's engine and BDAT: order, counting, what is thrown away. Source: RFC 3030 §2, §3."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_mail_node.mail.status import reply
from twisted_mail_node.wire.smtp import replies
from twisted_mail_node.wire.smtp.commands import (
    Chunk,
    ChunkEnd,
    Content,
    ContentEnd,
    Mistake,
    Noop,
    Quit,
)
from twisted_mail_node.wire.smtp.offer import Extension, Offer
from twisted_mail_node.wire.smtp.states import State

from .talk import Talk, whole_and_cut

OFFER = Offer(extensions=frozenset({Extension.CHUNKING, Extension.BINARY_MIME}))
MAIL = b"EHLO c\r\nMAIL FROM:<a@x>\r\nRCPT TO:<b@y>\r\n"
BINARY = b"EHLO c\r\nMAIL FROM:<a@x> BODY=BINARYMIME\r\nRCPT TO:<b@y>\r\n"


def test_chunks_make_one_message() -> None:
    """As in RFC 3030 §4.1."""
    talk = Talk(OFFER).feed(MAIL + b"BDAT 8\r\nA: b\r\n\r\nbdat 6 last\r\ntext\r\nQUIT\r\n")
    assert talk.events[4:] == [
        Chunk(8, False),
        Content(b"A: b\r\n\r\n"),
        ChunkEnd(),
        Chunk(6, True),
        Content(b"text\r\n"),
        ContentEnd(14, False),
        Quit(),
    ]
    assert talk.codes[4:] == [250, 250, 221]


def test_a_last_chunk_may_be_empty() -> None:
    talk = Talk(OFFER).feed(MAIL + b"BDAT 3\r\nabcBDAT 0\r\nBDAT 0 LAST\r\nNOOP\r\n")
    assert talk.events[5:] == [
        Content(b"abc"),
        ChunkEnd(),
        Chunk(0, False),
        ChunkEnd(),
        Chunk(0, True),
        Content(b"\r\n"),
        ContentEnd(5, False),
        Noop(),
    ]


def test_binary_content_is_what_came() -> None:
    octets = bytes(range(256)) + b"\r\n.\r\nRSET\r\n\n\r"
    talk = Talk(OFFER).feed(BINARY + b"BDAT %d LAST\r\n" % len(octets) + octets + b"NOOP\r\n", 7)
    assert talk.events[5:] == [Content(octets), ContentEnd(len(octets), False), Noop()]


def test_content_that_is_not_binary_is_looked_at() -> None:
    talk = Talk(OFFER).feed(MAIL + b"BDAT 5 LAST\r\na\nb\0c")
    assert talk.events[-1] == ContentEnd(7, True, True)


def test_binary_content_does_not_come_by_data() -> None:
    """RFC 3030 §3; the chunks may still come."""
    talk = Talk(OFFER).feed(BINARY + b"DATA\r\nBDAT 1 LAST\r\nxMAIL FROM:<a@x>\r\nRCPT TO:<b@y>\r\nDATA\r\n")
    assert talk.codes[4:] == [503, 250, 250, 250, 354]


@pytest.mark.parametrize("command", [b"MAIL FROM:<a@x>", b"RCPT TO:<c@y>", b"DATA", b"STARTTLS", b"AUTH PLAIN AA=="])
def test_between_chunks_the_envelope_is_closed(command: bytes) -> None:
    talk = Talk(OFFER).feed(MAIL + b"BDAT 1\r\nx" + command + b"\r\nBDAT 1 LAST\r\ny")
    assert talk.codes[4:] == [250, 503, 250]
    assert talk.events[-2:] == [Content(b"y\r\n"), ContentEnd(4, False)]


@pytest.mark.parametrize(
    ("command", "state"),
    [
        (b"RSET", State.GREETED),
        (b"EHLO c", State.GREETED),
        (b"NOOP", State.CHUNKS),
        (b"HELP", State.CHUNKS),
        (b"VRFY x", State.CHUNKS),
        (b"QUIT", State.CLOSED),
    ],
)
def test_what_may_come_between_chunks(command: bytes, state: State) -> None:
    talk = Talk(OFFER).feed(MAIL + b"BDAT 1\r\nx" + command + b"\r\n")
    assert talk.engine.state is state
    assert talk.codes[-1] in (250, 221)


@pytest.mark.parametrize("before", [b"", b"EHLO c\r\n", b"EHLO c\r\nMAIL FROM:<a@x>\r\n"])
@pytest.mark.parametrize("piece", [1, 5, 10_000])
def test_a_chunk_out_of_order_is_read_and_thrown_away(before: bytes, piece: int) -> None:
    content = b"QUIT\r\n.\r\nMAIL FROM:<evil@x>\r\n"
    talk = Talk(OFFER).feed(before, piece)
    state = talk.engine.state
    talk.feed(b"BDAT %d\r\n" % len(content) + content + b"BDAT 0 LAST\r\nNOOP\r\n", piece)
    refusal = Mistake(replies.CHUNK_OUT_OF_ORDER)
    assert talk.events[-3:] == [refusal, refusal, Noop()]
    assert talk.engine.state is state


def test_a_chunk_that_fails_ends_the_transaction_and_those_behind_it_are_thrown_away() -> None:
    talk = Talk(OFFER)
    talk.answers[ChunkEnd] = reply(552, "5.3.4", "too big")
    talk.feed(MAIL + b"BDAT 6\r\nNOOP\r\nBDAT 6\r\nQUIT\r\nBDAT 6 LAST\r\nRSET\r\nMAIL FROM:<a@x>\r\n", 3)
    assert talk.codes[4:] == [552, 503, 503, 250]
    assert talk.engine.state is State.SENDER


def test_after_the_last_chunk_more_of_them_are_out_of_order() -> None:
    talk = Talk(OFFER).feed(MAIL + b"BDAT 1 LAST\r\nxBDAT 6 LAST\r\nRSET\r\nNOOP\r\n")
    assert talk.codes[4:] == [250, 503, 250]


@pytest.mark.parametrize(
    "argument",
    [
        b"",
        b" ",
        b" LAST",
        b" -1",
        b" +1",
        b" x",
        b" 1 LAST LAST",
        b" 1 FIRST",
        b" 1LAST",
        b" 1.0",
        b" 0x10",
        b" 1\x00",
        b" " + b"1" * 21,
        b" " * 600 + b"1",
        b" \xd9\xa1",
    ],
)
def test_a_chunk_of_unknown_size_ends_the_session(argument: bytes) -> None:
    """Nobody can tell where its content ends, so none of it may be taken for commands."""
    talk = Talk(OFFER).feed(MAIL + b"BDAT" + argument + b"\r\nRSET\r\nMAIL FROM:<evil@x>\r\n")
    assert talk.events[4:] == [Mistake(replies.BAD_CHUNK)]
    assert talk.codes[4:] == [501]
    assert talk.engine.closed


def test_a_size_that_lies_is_what_counts() -> None:
    short = Talk(OFFER).feed(MAIL + b"BDAT 2 LAST\r\nabc\r\nNOOP\r\n")
    assert short.events[5:] == [Content(b"ab\r\n"), ContentEnd(4, False), Mistake(replies.UNKNOWN_COMMAND), Noop()]
    long = Talk(OFFER).feed(MAIL + b"BDAT 12 LAST\r\nabc\r\nNOOP\r\n")
    assert long.events[4:] == [Chunk(12, True), Content(b"abc\r\nNOOP\r\n")]
    assert long.engine.is_receiving_content


def test_bdat_is_known_where_it_is_offered() -> None:
    talk = Talk(Offer()).feed(MAIL + b"BDAT 1\r\nBDAT x\0\r\n")
    assert talk.codes[4:] == [500, 500]


@pytest.mark.parametrize("size", [20_000, 3_000_000])
def test_a_chunk_is_no_line_without_end(size: int) -> None:
    talk = Talk(OFFER).feed(MAIL + b"BDAT %d\r\n" % size + b"x" * size + b"BDAT 0 LAST\r\n", 50_000)
    assert talk.codes[4:] == [250, 250]
    talk.feed(b"BDAT %d\r\n" % size + b"x" * size + b"NOOP\r\n", 50_000)
    assert talk.codes[4:] == [250, 250, 503, 250]


SESSION = (
    MAIL
    + b"BDAT 9\r\nA: b\r\n\r\n\rBDAT 8\r\n\ntext\r\n.BDAT 0 LAST\r\nBDAT 3 LAST\r\n\r\nxNOOP\r\nRSET\r\n"
    + BINARY[8:]
    + b"BDAT 4\r\n\0\r\n\nRSET\r\nMAIL FROM:<>\r\nRCPT TO:<b@y>\r\nBDAT 7 LAST\r\n.\r\n.\r\nxQUIT\r\n"
)


@given(st.lists(st.integers(0, len(SESSION)), max_size=20))
def test_any_cutting_gives_the_same_events_and_answers(cuts: list[int]) -> None:
    whole = whole_and_cut(SESSION, cuts, OFFER)
    assert whole.codes[4:] == [250, 250, 250, 503, 250, 250, 250, 250, 250, 250, 250, 250, 250, 221]
