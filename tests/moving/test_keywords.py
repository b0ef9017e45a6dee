from __future__ import annotations

import pytest

from twisted_mail_node.mail.flags import MAX_KEYWORDS, Flags
from twisted_mail_node.moving.keywords import flags_of_names, is_keyword


@pytest.mark.parametrize("text", ["work", "$Label1", "a.b-c", "[x", "\\", ""])
def test_a_keyword_is_an_atom(text):
    assert is_keyword(text) is (text not in ("\\", ""))


@pytest.mark.parametrize("text", ["a b", "a(b", "a)b", 'a"b', "a*", "a%", "a]", "é", "\0", "a{", "x" * 256])
def test_what_is_none_is_told(text):
    assert not is_keyword(text)


def test_flags_that_can_be_are_taken():
    assert flags_of_names(["\\seen", "\\Recent", "\\Junk", "work", "a b"]) == Flags.from_names(["\\Seen", "work"])
    assert len(flags_of_names(f"k{number}" for number in range(500)).keywords) == MAX_KEYWORDS
