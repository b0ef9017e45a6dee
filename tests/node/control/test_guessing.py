"""The operator's operations on failed logins."""

from __future__ import annotations

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from twisted_mail_node.auth.throttle import FailedLogins
from twisted_mail_node.node.control.arguments import Refusal
from twisted_mail_node.node.control.guessing import GuessingDesk
from twisted_mail_node.testing.deferreds import result_of


@pytest.fixture
def record():
    return FailedLogins(Clock().seconds)


def perform(record, operation, **arguments):
    return result_of(Deferred.fromCoroutine(GuessingDesk(record).by_name[f"guessing.{operation}"](arguments)))


def test_who_is_slowed_is_listed_and_released(record):
    for _ in range(4):
        record.failed("192.0.2.1", "joe@a.test")
    assert perform(record, "list") == [{"address": "192.0.2.1", "account": None, "failures": 4.0, "delay": 1.5}]
    assert perform(record, "release", name=" 192.0.2.1 ") == {"name": "192.0.2.1"}
    assert perform(record, "list") == []


def test_an_account_is_released_by_its_name(record):
    for number in range(10):
        record.failed(f"192.0.2.{number}", "joe@a.test")
    assert perform(record, "list") == [{"address": None, "account": "joe@a.test", "failures": 10.0, "delay": 1.0}]
    perform(record, "release", name="Joe@A.test")
    assert perform(record, "list") == []


def test_who_has_not_failed_cannot_be_released(record):
    with pytest.raises(Refusal, match=r"no failed logins are remembered of 192\.0\.2\.1"):
        perform(record, "release", name="192.0.2.1")


def test_without_a_node_there_is_no_record():
    with pytest.raises(Refusal, match="forgotten with their node"):
        perform(None, "list")
