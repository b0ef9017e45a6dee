"""The form of app passwords."""

from __future__ import annotations

import pytest

from twisted_mail_node.mail.app_password import (
    MAX_LABEL_CHARACTERS,
    SECRET_OCTETS,
    AppPassword,
    checked_label,
    digest_of,
    shown,
)

SECRET = bytes(range(SECRET_OCTETS))


def test_it_is_shown_in_groups_that_can_be_copied_by_hand():
    assert shown(SECRET) == "aaaq-eaye-auda-ocaj-bifq-ydio-b4ib-ceqt"
    assert SECRET_OCTETS * 8 >= 128


@pytest.mark.parametrize(
    "typed",
    [
        "aaaq-eaye-auda-ocaj-bifq-ydio-b4ib-ceqt",
        "AAAQ-EAYE-AUDA-OCAJ-BIFQ-YDIO-B4IB-CEQT",
        "aaaqeayeaudaocajbifqydiob4ibceqt",
        " aaaq eaye auda ocaj bifq ydio b4ib ceqt ",
    ],
)
def test_it_is_known_again_however_it_was_copied(typed):
    assert digest_of(typed) == digest_of(shown(SECRET)) is not None


@pytest.mark.parametrize("other", ["", "secret", shown(SECRET)[:-1], shown(SECRET) + "a", "0" * 32, "ä" * 32])
def test_what_has_another_shape_is_none(other):
    assert digest_of(other) is None


def test_two_have_two_digests():
    assert digest_of(shown(SECRET)) != digest_of(shown(SECRET[::-1]))


def test_its_digest_is_not_for_logs():
    assert "\\x01" not in repr(AppPassword(label="phone", digest=b"\x01" * 32, created=0))


def test_a_label_is_text_for_a_line():
    assert checked_label("  my phone ☎ ") == "my phone ☎"
    for label in ("", "   ", "a\nb", "x" * (MAX_LABEL_CHARACTERS + 1), "\ud800"):
        with pytest.raises(ValueError, match="a label has 1 to 64 characters"):
            checked_label(label)
