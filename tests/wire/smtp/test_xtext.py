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
