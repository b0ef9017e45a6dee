"""SASLprep: the examples of RFC 4013 §3, and one character of each prohibited table."""

from __future__ import annotations

import pytest

from twisted_mail_node.mail.saslprep import prepared


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("I\u00adX", "IX"),  # RFC 4013 §3: the soft hyphen is mapped to nothing
        ("user", "user"),
        ("USER", "USER"),
        ("\u00aa", "a"),
        ("\u2168", "IX"),
        ("", ""),
        ("pen\u00a0cil", "pen cil"),
        ("\u3000", " "),
        ("p\u00e4ssword", "p\u00e4ssword"),
        ("pa\u0308ssword", "p\u00e4ssword"),
        ("\u05d0\u05d1", "\u05d0\u05d1"),
        ("\u06271\u0628", "\u06271\u0628"),
    ],
)
def test_text_is_made_alike(text, made):
    assert prepared(text) == made
    assert prepared(made) == made


@pytest.mark.parametrize(
    "text",
    [
        "\u0007",  # RFC 4013 §3
        "\u0627\u0031",  # RFC 4013 §3: does not end as it begins
        "1\u0627",
        "\u05d0a\u05d0",
        "a\u007f",
        "\u0080",
        "\ue000",
        "\ufdd0",
        "\ud800",
        "\ufff9",
        "\u2ff0",
        "\u200e",
        "\U000e0001",
    ],
)
def test_what_is_prohibited_is_refused(text):
    with pytest.raises(ValueError, match=r"prohibited|direction|right to left"):
        prepared(text)


def test_what_unicode_has_got_since_is_for_questions_only():
    key = "\U0001f511"
    assert prepared(key, allow_unassigned=True) == key
    with pytest.raises(ValueError, match=r"not assigned in Unicode 3\.2"):
        prepared(key)
