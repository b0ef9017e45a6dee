"""What a report gives back of the message (RFC 3461 §4.3, §6.2; RFC 6533 §4.2, §4.3)."""

from __future__ import annotations

import email
import email.policy
import quopri

import pytest

from twisted_mail_node.mail.address import Address
from twisted_mail_node.mail.options import MailOptions, Return
from twisted_mail_node.mail.report import Reported
from twisted_mail_node.queue.reports.returned import WHOLE_OCTETS, returned_part

HEADER, WIDE_HEADER = b"Subject: hi\r\n\r\n", "Subject: grüße\r\n\r\n".encode()


def given(header=HEADER, text=b"text\r\n", *, ret=None, has_failed=True, utf8=False, eight_bit=False):
    reported = Reported(Address("s", "a.test"), 0.0, header + text, len(header), MailOptions(ret=ret))
    return returned_part(reported, has_failed=has_failed, utf8=utf8, eight_bit=eight_bit)


def kind(part):
    return email.message_from_bytes(part.octets, policy=email.policy.default).get_content_type()


@pytest.mark.parametrize(
    ("ret", "has_failed", "is_whole"),
    [(Return.FULL, True, True), (Return.FULL, False, False), (Return.HEADERS, True, False), (None, True, False)],
)
def test_all_of_it_comes_back_where_that_was_asked_for_and_it_failed(ret, has_failed, is_whole):
    part = given(ret=ret, has_failed=has_failed)
    assert part.is_whole is is_whole
    assert part.octets.endswith(b"Subject: hi\r\n\r\ntext\r\n") is is_whole
    assert kind(part) == ("message/rfc822" if is_whole else "text/rfc822-headers")


@pytest.mark.parametrize(
    "text",
    [b"", b"x" * WHOLE_OCTETS, b"nul\0\r\n", b"bare\nline", b"bare\rline"],
    ids=["nothing but a header", "too much", "nul", "lf", "cr"],
)
def test_what_cannot_stand_in_a_report_is_left_out(text):
    part = given(text=text, ret=Return.FULL)
    assert not part.is_whole
    assert part.octets.endswith(b"\r\n\r\nSubject: hi\r\n")


def test_text_of_eight_bits_makes_a_report_of_eight_bits():
    part = given(text="grüße\r\n".encode(), ret=Return.FULL)
    assert (part.is_whole, part.eight_bit) == (True, True)
    assert b"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: 8bit\r\n" in part.octets


@pytest.mark.parametrize(
    ("utf8", "eight_bit", "ret", "expected"),
    [
        (True, True, None, "message/global-headers"),
        (True, False, None, "message/global-headers"),
        (False, False, None, "text/rfc822-headers"),
        (True, True, Return.FULL, "message/global"),
        (False, False, Return.FULL, "message/rfc822"),
    ],
)
def test_a_header_beyond_ascii_has_a_kind_of_its_own_for_who_reads_utf8(utf8, eight_bit, ret, expected):
    part = given(WIDE_HEADER, utf8=utf8, eight_bit=eight_bit, ret=ret)
    assert kind(part) == expected
    assert part.eight_bit is (eight_bit or ret is Return.FULL)
    content = part.octets.partition(b"\r\n\r\n")[2]
    if b"Content-Transfer-Encoding: quoted-printable" in part.octets:
        content = quopri.decodestring(content)
    assert content == (WIDE_HEADER[:-2] if ret is None else WIDE_HEADER + b"text\r\n")


@pytest.mark.parametrize("eight_bit", [False, True])
@pytest.mark.parametrize("odd", [b"X: a\nb\r\n", b"X: a\rb\r\n", b"X: \0\r\n", "Ü: \n".encode()])
def test_a_header_that_is_no_text_is_encoded_whole(odd, eight_bit):
    part = given(odd + HEADER, utf8=True, eight_bit=eight_bit)
    head, _, content = part.octets.partition(b"\r\n\r\n")
    assert b"Content-Transfer-Encoding: quoted-printable" in head
    assert content.isascii()
    assert b"\0" not in content
    assert content.count(b"\n") == content.count(b"\r") == content.count(b"\r\n")
    assert quopri.decodestring(content) == odd + HEADER[:-2]
