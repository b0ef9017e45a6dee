"""The languages of replies: each says everything, in its own script, and is found by what clients ask for."""

from __future__ import annotations

from string import Formatter

import pytest

from twisted_mail_node.protocols.pop3.languages import ENGLISH, LANGUAGES, language_of
from twisted_mail_node.wire.pop3.phrases import Phrase
from twisted_mail_node.wire.pop3.replies import MAX_REPLY_OCTETS, ResponseCode

VALUES = {"hostname": "mx.example.test", "messages": 12, "octets": 3456, "seconds": 9}


def fields(text):
    return {name for _, name, _, _ in Formatter().parse(text) if name}


@pytest.mark.parametrize("language", LANGUAGES, ids=lambda language: language.tag)
def test_every_phrase_has_its_words_and_they_take_the_same_values(language):
    assert list(language._words) == list(Phrase)
    for phrase, words in language._words.items():
        assert words
        assert fields(words) == fields(ENGLISH._words[phrase]) <= VALUES.keys()


@pytest.mark.parametrize("language", LANGUAGES, ids=lambda language: language.tag)
@pytest.mark.parametrize("phrase", Phrase)
def test_every_line_comes_whole(language, phrase):
    text = language._words[phrase].format(**VALUES)
    for line in (language.ok(phrase, **VALUES), language.error(phrase, ResponseCode.LOGIN_DELAY, **VALUES)):
        assert line.decode("utf-8").endswith(f" {text}\r\n")
        assert len(line) <= MAX_REPLY_OCTETS


def test_english_is_ascii_alone():
    assert all(words.isascii() for words in ENGLISH._words.values())


# RFC 4647 §3.4: what is more special than what there is finds the more general one.
@pytest.mark.parametrize(
    ("wanted", "tag"),
    [
        ("en", "en"),
        ("EN", "en"),
        ("en-boont", "en"),
        ("de-CH-1996", "de"),
        ("de-x-private", "de"),
        ("ja-JP", "ja"),
        ("JA-jpan-jp", "ja"),
        ("jap", None),
        ("mul", None),
        ("x-de", None),
        ("*", None),
    ],
)
def test_a_language_is_found_by_lookup(wanted, tag):
    found = language_of(wanted)
    assert (found and found.tag) == tag
