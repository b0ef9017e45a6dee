"""What was asked for about reports, and what is left of it on the way (RFC 3461 §4.1, §5.2.7.3)."""

from __future__ import annotations

import pytest

from twisted_mail_node.mail.options import Notify, RecipientOptions

BOTH = Notify.SUCCESS | Notify.FAILURE


@pytest.mark.parametrize(
    ("notify", "failure", "success"),
    [
        (None, True, False),
        (Notify.NEVER, False, False),
        (Notify.SUCCESS, False, True),
        (Notify.DELAY, False, False),
        (BOTH, True, True),
    ],
)
def test_failure_is_told_unless_it_is_not_wanted_and_success_where_it_is(notify, failure, success):
    options = RecipientOptions(notify=notify)
    assert (options.wants_failure, options.wants_success) == (failure, success)


@pytest.mark.parametrize(
    ("notify", "left"),
    [(None, None), (Notify.SUCCESS, Notify.NEVER), (BOTH, Notify.FAILURE), (Notify.DELAY, Notify.DELAY)],
)
def test_success_is_taken_out(notify, left):
    options = RecipientOptions(notify=notify, original="rfc822;a@b").without_success()
    assert options == RecipientOptions(notify=left, original="rfc822;a@b")


@pytest.mark.parametrize(
    ("one", "other", "both"),
    [
        (None, None, None),
        (Notify.NEVER, BOTH, BOTH),
        (Notify.SUCCESS, None, BOTH | Notify.DELAY),
        (None, Notify.NEVER, Notify.FAILURE | Notify.DELAY),
    ],
)
def test_wishes_are_united(one, other, both):
    options = RecipientOptions(notify=one, original="rfc822;a@b")
    assert options.united(RecipientOptions(notify=other)) == RecipientOptions(notify=both, original="rfc822;a@b")
