"""What is within a quota. RFC 9208 §5"""

from __future__ import annotations

import pytest

from twisted_mail_node.mail.quota import NO_RULES, UNLIMITED, OverQuota, Quota, QuotaLimits, QuotaRules
from twisted_mail_node.mail.status import EnhancedStatus


@pytest.mark.parametrize(
    ("limits", "octets", "messages", "allowed"),
    [
        (UNLIMITED, 2**62, 2**62, True),
        (QuotaLimits(100), 100, 9, True),
        (QuotaLimits(100), 101, 9, False),
        (QuotaLimits(None, 9), 2**62, 9, True),
        (QuotaLimits(None, 9), 0, 10, False),
        (QuotaLimits(0, 0), 0, 0, True),
    ],
)
def test_a_limit_may_be_reached_and_not_passed(limits, octets, messages, allowed):
    assert limits.allow(octets, messages) is allowed


@pytest.mark.parametrize("limits", [(-1, None), (None, -1), (2**63, None)])
def test_what_no_store_could_keep_is_no_limit(limits):
    with pytest.raises(ValueError, match="a limit is from 0"):
        QuotaLimits(*limits)


def test_room_is_what_is_left():
    quota = Quota(90, 8, QuotaLimits(100, 9), is_own=True)
    assert quota.has_room()
    assert quota.has_room(10)
    assert not quota.has_room(11)
    assert not quota.has_room(1, 2)


def test_who_is_full_is_so_for_now_unless_told_otherwise():
    assert NO_RULES.refusal == (EnhancedStatus(4, 2, 2), "the mailbox is full")
    assert QuotaRules(for_good=True).refusal[0] == EnhancedStatus(5, 2, 2)
    assert OverQuota().status == EnhancedStatus(5, 2, 2)
