"""What clients without UTF-8 are given of internationalised mail."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_mail_node.wire.imap import seven_bits
from twisted_mail_node.wire.mime.body_structure import body_structure, with_global_closed
from twisted_mail_node.wire.mime.headers import header_size
from twisted_mail_node.wire.mime.structure import structure_of

PLAIN = b"Subject: x\r\nContent-Type: text/plain; charset=utf-8\r\n\r\ngr\xc3\xb6\xc3\x9fer\r\n"
PARTS = b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n%b\r\n\r\n\xc3\xa4\r\n--x--\r\n"


@pytest.mark.parametrize(
    "message", [PLAIN, PARTS % b"Content-Type: text/plain; charset=utf-8", PARTS % b"X-Nobody-Looks: \xc3\xa4", b""]
)
def test_a_message_that_says_nothing_beyond_ascii_of_itself_stays_as_it_is(message):
    assert seven_bits.message_form(message) == message


@pytest.mark.parametrize(
    "message",
    [
        b"Subject: \xc3\xa4\r\n\r\n",
        PARTS % b"Content-Type: image/png; name=\xc3\xa4.png",
        PARTS % b"Content-Type: message/rfc822\r\n\r\nSubject: \xc3\xa4",
    ],
)
def test_others_get_a_surrogate_of_which_all_is_told(message):
    form = seven_bits.message_form(message)
    assert form != message
    structure = seven_bits.structure_form(message)
    assert seven_bits.can_be_shown(structure)
    assert structure == body_structure(structure_of(form))


pieces = st.sampled_from(
    (
        b"Subject: \xc3\xa4\r\n",
        b"From: \xc3\xa4 <a@b.test>\r\n",
        b"\r\n",
        b"Content-Type: message/global\r\n",
        b"--x\r\n",
    )
)
messages = st.lists(pieces | st.just(PARTS % b"Subject: \xc3\xa4"), max_size=6).map(b"".join)


@given(messages)
def test_whatever_comes_can_be_shown(message):
    form = seven_bits.message_form(message)
    assert seven_bits.header_form(message[: header_size(message)]) == form[: header_size(form)]
    assert form[: header_size(form)].isascii()
    assert seven_bits.envelope_form(message[: header_size(message)]).isascii()
    structure = seven_bits.structure_form(message)
    assert structure.isascii()
    assert with_global_closed(structure) == structure
    surrogate = seven_bits.new_surrogate()
    assert form in (message, surrogate.feed(message) + surrogate.end())


def test_a_global_message_cannot_be_shown_open():
    message = b"Content-Type: message/global\r\n\r\nSubject: x\r\n\r\n"
    assert not seven_bits.can_be_shown(body_structure(structure_of(message)))
    assert seven_bits.structure_form(message) == b'("message" "global" NIL NIL NIL "7bit" 14 NIL NIL NIL NIL)'
