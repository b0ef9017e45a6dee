"""Text as encoded words, and back."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from twisted_mail_node.wire.mime.decode import decode_words
from twisted_mail_node.wire.mime.encoded_words import encoded_words


def test_a_short_text_is_one_word():
    assert encoded_words("Grüße") == b"=?utf-8?b?R3LDvMOfZQ==?="


TEXT = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=120)


@given(TEXT)
def test_words_are_short_and_read_back(text):
    written = encoded_words(text)
    assert all(len(line.strip()) <= 75 for line in written.split(b"\r\n"))
    assert written.isascii()
    assert decode_words(written) == text


@given(TEXT)
def test_every_word_is_readable_by_itself(text):
    words = encoded_words(text).split(b"\r\n ")
    assert "".join(decode_words(word) for word in words) == text


def test_half_a_surrogate_pair_becomes_a_question_mark():
    assert decode_words(encoded_words("a\ud800b")) == "a?b"
