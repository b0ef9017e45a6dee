"""Enhanced status codes and replies."""

from __future__ import annotations

import pytest

from twisted_mail_node.mail.status import EnhancedStatus, Reply


@pytest.mark.parametrize("text", ["2.0.0", "4.7.1", "5.999.999"])
def test_a_code_is_written_as_it_was_read(text):
    assert str(EnhancedStatus.parse(text)) == text


@pytest.mark.parametrize(
    "text", ["", "5", "5.1", "5.1.1.1", "3.1.1", "1.0.0", "5.1000.0", "5.0.1000", "5.-1.0", "5.x.1", "5..1"]
)
def test_what_is_no_code_is_refused(text):
    with pytest.raises(ValueError):
        EnhancedStatus.parse(text)


@pytest.mark.parametrize("code", [(3, 1, 1), (5, 1000, 0), (5, 0, 1000), (5, -1, 0), (5, 0, -1)])
def test_a_code_outside_the_standards_range_cannot_be_made(code):
    with pytest.raises(ValueError, match="not an enhanced status code"):
        EnhancedStatus(*code)


@pytest.mark.parametrize(
    ("code", "temporary", "permanent"),
    [(250, False, False), (354, False, False), (421, True, False), (550, False, True)],
)
def test_replies_are_judged_by_their_first_digit(code, temporary, permanent):
    reply = Reply(code, ("text",))
    assert (reply.is_temporary, reply.is_permanent) == (temporary, permanent)


def test_a_reply_is_told_in_one_line():
    assert str(Reply(550, ("no such", "user"), EnhancedStatus(5, 1, 1))) == "550 5.1.1 no such user"
    assert str(Reply(250, ("ok",))) == "250 ok"
