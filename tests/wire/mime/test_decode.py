"""Text out of headers and bodies, in pieces, whatever it says of itself."""

from __future__ import annotations

import base64
import quopri

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_mail_node.wire.mime import charsets
from twisted_mail_node.wire.mime.decode import TextDecoder, decode_words, header_text, text_parts
from twisted_mail_node.wire.mime.structure import Part, structure_of


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b" plain \r\n", "plain"),
        (b"=?UTF-8?B?44GT44KT?= =?UTF-8?B?44Gr44Gh44Gv?= x", "こんにちは x"),
        (b"=?iso-2022-jp?B?GyRCRnxLXDhsGyhC?=", "日本語"),
        (b"=?Shift_JIS?B?k/qWe4zq?=", "日本語"),
        (b"=?EUC-JP?B?xvzL3Ljs?=", "日本語"),
        (b"=?gb18030?Q?=C4=E3?=", "你"),
        (b"a =?utf-8?q?b_c=C3?=\r\n =?utf-8?q?=A9?= d", "a b cé d"),
        (b"=?utf-8?q?a?= =?iso-8859-1?q?=E9?= c", "aé c"),
        (b"=?utf-8*en?q?a?=", "a"),
        (b'"=?utf-8?q?in quotes?="', '"in quotes"'),
        (b"=?utf-8?b?YQ?==?utf-8?b?Yg?=", "ab"),
        (b"=?unheard-of?q?=E9?=", "é"),
        (b"=?utf-8?x?abc?=", "=?utf-8?x?abc?="),
        (b"=?utf-8?q?open", "=?utf-8?q?open"),
        ("é".encode(), "é"),
        (b"\xe9", "é"),
    ],
)
def test_encoded_words(raw, text):
    assert decode_words(raw) == text


def test_a_header_block_is_a_line_per_field():
    assert header_text(b"Subject: =?utf-8?q?=C3=A9?=\r\nTo: a,\r\n b\r\n\r\n") == "subject: é\nto: a, b"
    assert header_text(b"Subject: x\r\n\ty\r\nTo: a\r\n\r\n") == "Subject: x\ty\nTo: a"


TEXT = "日本語のメール、そして café = 1\r\n" * 20


@pytest.mark.parametrize("charset", ["utf-8", "iso-2022-jp", "shift_jis", "euc-jp", "gb18030"])
@pytest.mark.parametrize("encoding", ["8bit", "base64", "quoted-printable"])
@pytest.mark.parametrize("size", [1, 7, 100_000])
def test_bodies_in_pieces(charset, encoding, size):
    text = TEXT if charset in ("utf-8", "gb18030") else TEXT.replace("é", "e")
    octets = text.encode(charset)
    if encoding == "base64":
        octets = base64.encodebytes(octets).replace(b"\n", b"\r\n")
    elif encoding == "quoted-printable":
        octets = quopri.encodestring(octets.replace(b"\r\n", b"\n")).replace(b"\n", b"\r\n")
    part = Part(0, parameters=((b"charset", charset.encode()),), encoding=encoding.encode())
    decoder = TextDecoder(part)
    out = [decoder.feed(octets[start : start + size]) for start in range(0, len(octets), size)]
    assert "".join([*out, decoder.finish()]) == text


def test_text_parts_are_those_of_messages_inside_too():
    message = (
        b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Type: image/png\r\n\r\nA\r\n"
        b"--x\r\nContent-Type: message/rfc822\r\n\r\nSubject: s\r\n\r\nin\r\n--x\r\n\r\nout\r\n--x--\r\n"
    )
    parts = list(text_parts(structure_of(message)))
    assert [message[part.body_start : part.body_end] for part in parts] == [b"in", b"out"]


def test_strict_decoding_tells_what_is_wrong():
    assert charsets.decode_strictly(b"\x1b$BF|\x1b(B", "ISO-2022-JP") == "日"
    with pytest.raises(LookupError):
        charsets.decode_strictly(b"a", "rot13")
    with pytest.raises(UnicodeDecodeError):
        charsets.decode_strictly(b"\xff", "utf-8")


def test_folding_forgets_case_and_width():
    assert charsets.fold("ＡＢＣ ｶﾅ ß") == charsets.fold("abc カナ SS")


@given(st.binary(max_size=200), st.sampled_from([*sorted(charsets._CODECS), "x"]), st.integers(1, 9))
def test_no_octets_are_refused(octets, charset, size):
    charsets.decode(octets, charset)
    for encoding in (b"base64", b"quoted-printable", b"binary"):
        decoder = TextDecoder(Part(0, parameters=((b"charset", charset.encode()),), encoding=encoding))
        for start in range(0, len(octets), size):
            decoder.feed(octets[start : start + size])
        decoder.finish()
    decode_words(b"=?%b?b?%b?= %b" % (charset.encode(), octets, octets))


def test_a_line_of_quoted_printable_without_end_comes_in_pieces():
    part = Part(0, parameters=((b"charset", b"utf-8"),), encoding=b"quoted-printable")
    decoder = TextDecoder(part)
    text = "日本".encode() * 1000
    octets = b"".join(b"=%02X" % octet for octet in text)
    out = [decoder.feed(octets[start : start + 1000]) for start in range(0, len(octets), 1000)]
    assert any(out)
    assert "".join([*out, decoder.finish()]).encode() == text


def test_a_state_without_end_is_read_as_octets():
    # The codec gives up on an escape sequence that no character set has.
    octets = b"\x1b(\xc7\xcf\xfe\xcd\xfe\xeb\xc2,\xfe\x86"
    decoder = TextDecoder(Part(0, parameters=((b"charset", b"iso-2022-jp"),)))
    out = [decoder.feed(octets[start : start + 3]) for start in range(0, len(octets), 3)]
    assert "þ" in "".join(out)


def test_the_replacement_is_for_decoding_only():
    charsets.decode(b"\xff")
    with pytest.raises(UnicodeEncodeError):
        "é".encode("ascii", "twisted_mail_node.latin_octets")
