from __future__ import annotations

import pytest

from twisted_mail_node.wire.smtp.xtext import decoded, is_xtext


@pytest.mark.parametrize("text", ["", "a", "a+2Bb", "+3D", "rfc822;a@b"])
def test_xtext(text: str) -> None:
    assert is_xtext(text)


@pytest.mark.parametrize("text", ["a b", "a=b", "+", "+3", "+3d", "+GG", "ö", "a\tb"])
def test_what_is_no_xtext(text: str) -> None:
    assert not is_xtext(text)
    with pytest.raises(ValueError, match="not xtext"):
        decoded(text)


def test_xtext_hides_what_is_printable_alone() -> None:
    assert decoded("a+20b+3D+2B") == "a b=+"
    for hidden in ("+0A", "+00", "+7F", "+C3+BC"):
        with pytest.raises(ValueError, match="not printable"):
            decoded(hidden)


def test_utf8_may_be_hidden_where_it_is_let_through() -> None:
    assert decoded("j+C3+B6rg@b.test", utf8=True) == "jörg@b.test"
    for hidden in ("j+C3rg", "a+C2+85", "a+E2+80+A8", "a+0A"):
        with pytest.raises(ValueError, match=r"utf-8|printable"):
            decoded(hidden, utf8=True)
