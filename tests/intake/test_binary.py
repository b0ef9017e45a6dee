from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_mail_node.intake.binary import BinaryWatch
from twisted_mail_node.mail.envelope import BodyType
from twisted_mail_node.mail.transaction import Body

PLAIN, WIDE = Body(1, 1, b"x"), Body(1, 1, b"\xff", eight_bit=True)


def seen(*pieces: bytes, body: Body = PLAIN) -> BodyType:
    watch = BinaryWatch()
    for piece in pieces:
        watch.look(piece)
    return watch.body_type(body)


@pytest.mark.parametrize("pieces", [(), (b"",), (b"a\r\n",), (b"a\r", b"\nb\r\n"), (b"a", b"\r", b"", b"\n")])
def test_lines_of_text_are_no_binary_content(pieces):
    assert seen(*pieces) is BodyType.SEVEN_BIT
    assert seen(*pieces, body=WIDE) is BodyType.EIGHT_BIT_MIME


@pytest.mark.parametrize(
    "pieces",
    [
        (b"a",),
        (b"a\n",),
        (b"a\r\n\n", b"b\r\n"),
        (b"a\r",),
        (b"a\r", b"b\r\n"),
        (b"\0\r\n",),
        (b"\n", b"\r\n"),
        (b"\r\r\n",),
    ],
)
def test_anything_else_is(pieces):
    assert seen(*pieces) is BodyType.BINARY_MIME


@given(st.lists(st.sampled_from([b"\r", b"\n", b"a", b"\r\n", b"\0"]), max_size=10))
def test_any_cutting_gives_the_same(pieces):
    assert seen(*pieces) is seen(b"".join(pieces))
