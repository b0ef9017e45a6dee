"""Text out of headers and bodies, in pieces, whatever it says of itself."""

from __future__ import annotations

import base64
import quopri

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_mail_node.wire.mime import charsets
from twisted_mail_node.wire.mime.decode import TextDecoder, decode_words, header_text, text_decoder, text_parts
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
    assert header_text(b"Subject: x\r\n\ty\r\nno field\r\nTo: =?utf-8?q?a=0Ab?=\r\n\r\n") == "subject: x\ty\nto: a b"


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


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ＡＢＣ ｶﾞ", "abc ガ"),
        ("ǆ", "Ǆ"),
        ("ﬁ", "FI"),
        ("Ｅ\u0301", "é"),
        ("\u1f80", "\u1f88"),
        ("\0", "\ufffd"),
        ("é\0", "É\ufffd"),
    ],
)
def test_folding_forgets_case_and_width(one, other):
    """RFC 5051 §2."""
    assert charsets.fold(one) == charsets.fold(other)


def test_folding_takes_marks_off_and_leaves_what_has_no_one_title_case():
    assert "E" in charsets.fold("é")
    assert charsets.fold("ß 가") == "ß 가"  # RFC 5051 §2: by UnicodeData.txt alone, which decomposes no Hangul


@given(st.text(), st.text())
def test_what_is_folded_in_pieces_is_folded_as_in_one(one, other):
    assert charsets.fold(one) + charsets.fold(other) == charsets.fold(one + other)


def test_few_folded_characters_are_remembered(monkeypatch):
    monkeypatch.setattr(charsets, "_REMEMBERED", 3)
    text = "".join(map(chr, range(0x3041, 0x3061)))
    assert charsets.fold(text) == charsets.fold(text[:9]) + charsets.fold(text[9:])
    assert len(charsets._folds) <= 3


@pytest.mark.parametrize("encoding", ["8bit", "base64"])
@pytest.mark.parametrize("kind", ["text/rfc822-headers", "message/global-headers"])
def test_header_blocks_among_the_parts_are_decoded(kind, encoding):
    octets = b"Subject: =?utf-8?q?J=C3=B6rg?=\r\n and all\r\n"
    body = octets if encoding == "8bit" else base64.encodebytes(octets)
    root = structure_of(f"Content-Type: {kind}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n".encode() + body)
    (part,) = text_parts(root)
    decoder = text_decoder(part)
    assert decoder.feed(body[:10]) + decoder.feed(body[10:]) + decoder.finish() == "subject: Jörg and all"


def test_no_more_of_a_header_block_is_kept_than_is_looked_into():
    (part,) = text_parts(structure_of(b"Content-Type: text/rfc822-headers\r\n\r\n"))
    decoder = text_decoder(part)
    for _ in range(3):
        decoder.feed(b"A: b\r\n" + b"x" * 200_000 + b"\r\n")
    assert decoder.finish() == "a: b\na: b"


@pytest.mark.parametrize("kind", ["delivery-status", "global-delivery-status", "disposition-notification", "partial"])
def test_reports_for_programs_are_text(kind):
    body = "Diagnostic-Code: smtp; 550 nö\r\n".encode()
    (part,) = text_parts(structure_of(f"Content-Type: message/{kind}\r\n\r\n".encode() + body))
    decoder = text_decoder(part)
    assert decoder.feed(body) + decoder.finish() == "Diagnostic-Code: smtp; 550 nö\r\n"


@given(st.binary(max_size=100), st.sampled_from(["iso-2022-jp", "utf-16", "utf-8"]), st.integers(1, 9000))
def test_text_is_the_same_in_pieces_of_any_size(octets, charset, size):
    octets = octets * 200
    part = Part(0, parameters=((b"charset", charset.encode()),))
    whole, cut = TextDecoder(part), TextDecoder(part)
    in_pieces = [cut.feed(octets[start : start + size]) for start in range(0, len(octets), size)]
    assert "".join([*in_pieces, cut.finish()]) == whole.feed(octets) + whole.finish()


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
    assert "þ" in "".join([*out, decoder.finish()])


def test_the_replacement_is_for_decoding_only():
    charsets.decode(b"\xff")
    with pytest.raises(UnicodeEncodeError):
        "é".encode("ascii", "twisted_mail_node.latin_octets")
