"""Previews: what a message begins with. RFC 8970 §3.3."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_mail_node.wire.mime.preview import LOOKED_AT_OCTETS, PREVIEW_CHARACTERS, preview_of, preview_part
from twisted_mail_node.wire.mime.structure import structure_of


def preview(message):
    return preview_of(message, structure_of(message)).decode()


def html(text, extra=b""):
    return b"Content-Type: text/html; charset=utf-8\r\n" + extra + b"\r\n" + text


def multipart(subtype, *parts):
    head = b"Content-Type: multipart/" + subtype + b'; boundary="b' + subtype + b'"\r\n\r\n'
    return head + b"".join(b"--b%b\r\n%b\r\n" % (subtype, part) for part in parts) + b"--b%b--\r\n" % subtype


PLAIN = b"Content-Type: text/plain; charset=utf-8\r\n\r\nplain"


@pytest.mark.parametrize(
    ("message", "text"),
    [
        (b"Subject: x\r\n\r\nHello,\r\n\r\n  this is\tit.\r\n", "Hello, this is it."),
        (b"Subject: x\r\n\r\n", ""),
        (b"", ""),
        (b"\r\n> quoted\r\n>> more\r\nMy answer\r\n-- \r\nAnn\r\n", "My answer"),
        (b"\r\n> only quoted\r\n", "> only quoted"),
        (b"\r\n-- \r\nAnn, a signature alone\r\n", "-- Ann, a signature alone"),
        (b"\r\na\0b\x07c\x7f\r\n", "a b c"),
        (b"Content-Type: text/plain; charset=iso-8859-1\r\n\r\nGr\xfc\xdfe\r\n", "Grüße"),
        (b"Content-Transfer-Encoding: base64\r\n\r\nSGVsbG8=\r\n", "Hello"),
        (b"Content-Transfer-Encoding: quoted-printable\r\n\r\nGr=C3=BC=\r\nn\r\n", "Grün"),
        (html(b"<p>Eins</p><p>z<b>we</b>i &amp; drei<br>vier"), "Eins zwei & drei vier"),
        (html(b"<head><title>T</title><style>p {}</style></head><body>seen<script>1 < 2</script>"), "seen"),
        (html(b"<head><body>no end of the head<hr/>x<b/>y"), "no end of the head xy"),
        (html(b"<title>only a title</title>"), ""),
        (html("short\u200c\u00a0\u200c\u034f<div></div>more".encode()), "short more"),
        (html(b"a <!-- not closed"), "a"),
        (b"Content-Type: image/png\r\n\r\nx", ""),
        (multipart(b"encrypted", b"Content-Type: application/pgp-encrypted\r\n\r\nVersion: 1"), ""),
        (multipart(b"alternative", html(b"<p>html"), PLAIN), "plain"),
        (multipart(b"alternative", PLAIN, html(b"<p>html")), "plain"),
        (multipart(b"mixed", html(b"<p>html"), PLAIN), "html"),
        (multipart(b"mixed", html(b"x", b"Content-Disposition: attachment\r\n"), PLAIN), "plain"),
        (multipart(b"mixed", b"Content-Type: message/rfc822\r\n\r\n\r\ninner", PLAIN), "plain"),
        (multipart(b"mixed", multipart(b"alternative", html(b"h"), PLAIN), PLAIN), "plain"),
    ],
)
def test_the_text_that_a_message_begins_with_is_shown_in_one_line(message, text):
    assert preview(message) == text


@pytest.mark.parametrize("around", [b"\r\n%b", b"Content-Type: text/html\r\n\r\n<p>%b</p>"])
def test_a_preview_has_at_most_200_characters_whole(around):
    shown = preview(around % ("ü" * 5000).encode())
    assert len(shown) == PREVIEW_CHARACTERS
    assert "<" not in preview(around % b" - " * 5000)


def test_a_message_without_text_has_no_part_to_look_at():
    assert preview_part(structure_of(b"Content-Type: image/png\r\n\r\nx")) is None


@given(st.binary(max_size=300), st.sampled_from([b"", b"Content-Type: text/html\r\n"]))
def test_whatever_comes_a_preview_is_a_line_of_utf8(octets, header):
    shown = preview(header + b"\r\n" + octets)
    assert len(shown) <= PREVIEW_CHARACTERS
    assert not any(character < " " for character in shown)


@pytest.mark.alone
@pytest.mark.parametrize("piece", [b"<", b"<!--", b"<a b='", b"&", b"<![CDATA[", b"</", b"<p>", b"<style>", b"> \r\n"])
def test_nothing_hostile_takes_long(piece):
    message = html(piece * (2 * LOOKED_AT_OCTETS // len(piece)))
    root = structure_of(message)
    began = time.process_time()
    preview_of(message, root)
    assert time.process_time() - began < 0.5
