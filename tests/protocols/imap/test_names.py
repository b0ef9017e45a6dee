"""The delimiter."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_mail_node.protocols.imap.names import translated, without_last_delimiter
from twisted_mail_node.protocols.imap.settings import IMAPSettings


@given(st.text("ab/."), st.sampled_from("/."))
def test_translation_is_its_own_inverse(name, delimiter):
    assert translated(translated(name, delimiter), delimiter) == name


def test_the_two_characters_change_places():
    assert translated("a.b/c", ".") == "a/b.c"
    assert translated("a.b/c", "/") == "a.b/c"


def test_a_delimiter_at_the_end_is_taken_off():
    assert without_last_delimiter("a/") == "a"
    assert without_last_delimiter("/") == "/"


def test_other_delimiters_are_refused():
    with pytest.raises(ValueError, match="delimiter"):
        IMAPSettings(delimiter="\\")
