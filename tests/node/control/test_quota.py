"""The operator's operations on quotas, where the store has none."""

from __future__ import annotations

import pytest
from twisted.internet.defer import Deferred

from twisted_mail_node.node.control.arguments import Refusal
from twisted_mail_node.node.control.quota import QuotaDesk
from twisted_mail_node.testing.deferreds import result_of


@pytest.mark.parametrize("operation", ["quota.list", "quota.set"])
def test_a_store_that_limits_nothing_has_no_quotas(operation):
    desk = QuotaDesk(object())
    with pytest.raises(Refusal, match="does not limit what accounts hold"):
        result_of(Deferred.fromCoroutine(desk.by_name[operation]({"name": "joe@a.test"})))
