from __future__ import annotations

import pytest

from twisted_mail_node.mail.errors import PermanentFailure
from twisted_mail_node.mail.special_use import SPECIAL_USES, USE_OF_NAME, checked_use


def test_a_use_gets_the_standards_spelling():
    assert checked_use("\\SENT") == "\\Sent"
    assert checked_use(None) is None


def test_an_unknown_use_is_refused():
    with pytest.raises(PermanentFailure):
        checked_use("\\Important")


def test_usual_names_have_uses_of_the_standard():
    assert set(USE_OF_NAME.values()) <= set(SPECIAL_USES)
