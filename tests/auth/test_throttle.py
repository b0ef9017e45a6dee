"""Failed logins: who waits, for how long, and how it is forgotten."""

from __future__ import annotations

import pytest
from twisted.logger import capturedLogs
from zope.interface.verify import verifyObject

from twisted_mail_node.auth.throttle import (
    FREE_ACCOUNT_FAILURES,
    FREE_HOST_FAILURES,
    HALF_LIFE_SECONDS,
    LONGEST_DELAY_SECONDS,
    LONGEST_QUEUE_SECONDS,
    FailedLogins,
)
from twisted_mail_node.interfaces.auth import IAttempts


class Time:
    now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def time():
    return Time()


@pytest.fixture
def record(time):
    return FailedLogins(time, ["127.0.0.0/8", "::1", "2001:db8:5::/48"])


def fail(record, host, name, times):
    for _ in range(times):
        record.failed(host, name)


def test_it_is_a_record_of_attempts(record):
    verifyObject(IAttempts, record)


def test_who_has_done_nothing_wrong_does_not_wait(record):
    assert record.delay_before("192.0.2.1", "joe@x") == 0.0


def test_everyone_may_mistype_a_few_times(record):
    fail(record, "192.0.2.1", "joe@x", FREE_HOST_FAILURES - 1)
    assert record.delay_before("192.0.2.1", "joe@x") == 0.0
    record.failed("192.0.2.1", "joe@x")
    assert record.delay_before("192.0.2.1", "joe@x") == 1.0


def test_delay_grows_up_to_the_longest(record, time):
    delays = []
    for _ in range(20):
        record.failed("192.0.2.1", "joe@x")
        delays.append(record.delay_before("192.0.2.1", "joe@x"))
        time.now += delays[-1]
    assert delays == sorted(delays)
    assert delays[2:5] == pytest.approx([1.0, 1.5, 2.25], rel=0.05)
    assert delays[-1] == LONGEST_DELAY_SECONDS
    fail(record, "192.0.2.1", "joe@x", 100_000)
    assert record.delay_before("192.0.2.1", "joe@x") == LONGEST_DELAY_SECONDS


def test_attempts_at_the_same_time_are_queued_and_the_queue_ends(record, time):
    fail(record, "192.0.2.1", "joe@x", FREE_HOST_FAILURES)
    delays = [record.delay_before("192.0.2.1", "joe@x") for _ in range(100)]
    assert delays[:3] == [1.0, 2.0, 3.0]
    assert max(delays) == LONGEST_QUEUE_SECONDS + 1.0
    time.now += 10.0
    assert record.delay_before("192.0.2.1", "joe@x") == pytest.approx(LONGEST_QUEUE_SECONDS - 10.0 + 1.0)


def test_failures_are_forgotten_with_time(record, time):
    fail(record, "192.0.2.1", "joe@x", 6)
    assert record.delay_before("192.0.2.1", "joe@x") > 1.0
    time.now += 2 * HALF_LIFE_SECONDS
    assert record.delay_before("192.0.2.1", "joe@x") == 0.0


def test_who_has_come_in_waits_no_longer_there(record):
    fail(record, "192.0.2.1", "joe@x", 5)
    record.succeeded("192.0.2.1", "joe@x")
    assert record.delay_before("192.0.2.1", "joe@x") == 0.0


def test_who_has_come_in_before_waits_for_own_failures_only(record):
    record.succeeded("192.0.2.1", "joe@x")
    record.succeeded("192.0.2.1", "ann@x")
    fail(record, "192.0.2.1", "joe@x", FREE_HOST_FAILURES)
    assert [record.delay_before("192.0.2.1", "joe@x") for _ in range(40)][:3] == [1.0, 2.0, 3.0]
    assert record.delay_before("192.0.2.1", "ann@x") == record.delay_before("192.0.2.1", "new@x") == 0.0
    fail(record, "192.0.2.1", "new@x", FREE_HOST_FAILURES)
    assert record.delay_before("192.0.2.1", "ann@x") == 0.0
    record.succeeded("192.0.2.1", "joe@x")
    assert record.delay_before("192.0.2.1", "joe@x") == 0.0


def test_account_is_slowed_for_strangers_and_not_for_a_host_that_knows_it(record):
    record.succeeded("198.51.100.7", "joe@x")
    for number in range(FREE_ACCOUNT_FAILURES):
        record.failed(f"192.0.2.{number}", "joe@x")
    assert record.delay_before("192.0.2.200", "joe@x") == 1.0
    assert record.delay_before("192.0.2.200", "ann@x") == 0.0
    assert record.delay_before("198.51.100.7", "joe@x") == 0.0


def test_own_account_does_not_buy_guesses_at_others(record):
    for number in range(FREE_HOST_FAILURES):
        record.failed("192.0.2.1", f"victim{number}@x")
        record.succeeded("192.0.2.1", "mallory@x")
    assert record.delay_before("192.0.2.1", "another@x") == 1.0


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "::ffff:127.0.0.1", "2001:db8:5:1::9", ""])
def test_trusted_networks_and_local_sockets_never_wait(record, host):
    fail(record, host, "joe@x", 100)
    assert record.delay_before(host, "joe@x") == 0.0
    record.succeeded(host, "joe@x")


def test_tables_are_bounded(time):
    record = FailedLogins(time, max_records=50)
    for number in range(500):
        record.failed(f"10.0.{number // 250}.{number % 250}", f"user{number}@x")
        record.succeeded(f"10.1.{number // 250}.{number % 250}", f"user{number}@x")
    assert len(record._hosts) == len(record._accounts) == len(record._known) == 50


def test_who_is_slowed_is_listed_with_most_failures_first(record):
    assert list(record.slowed()) == []
    fail(record, "192.0.2.1", "joe@x", FREE_HOST_FAILURES)
    fail(record, "2001:db8:9::1", "ann@x", FREE_ACCOUNT_FAILURES)
    fail(record, "192.0.2.2", "bob@x", FREE_HOST_FAILURES - 1)
    first, second, *others = record.slowed()
    assert {first.host or first.account, second.host or second.account} == {"2001:db8:9::/64", "ann@x"}
    assert [(slowed.host, slowed.account, slowed.delay_seconds) for slowed in others] == [("192.0.2.1", "", 1.0)]


@pytest.mark.parametrize("name", ["2001:db8:9::5", "2001:db8:9::/64"])
def test_a_released_host_waits_no_longer(record, name):
    fail(record, "2001:db8:9::1", "ann@x", 5)
    assert record.release(name)
    assert record.delay_before("2001:db8:9::1", "ann@x") == 0.0
    assert not record.release(name)


@pytest.mark.parametrize("name", ["192.0.2.1", "joe@x"])
def test_a_known_host_that_is_slowed_is_listed_and_released(record, name):
    record.succeeded("192.0.2.1", "joe@x")
    with capturedLogs() as events:
        fail(record, "192.0.2.1", "joe@x", FREE_HOST_FAILURES + 1)
    assert [(event["peer"], event["account"]) for event in events] == [("192.0.2.1", "joe@x")]
    (slowed,) = record.slowed()
    assert (slowed.host, slowed.account) == ("192.0.2.1", "joe@x")
    assert record.release(name)
    assert list(record.slowed()) == []
    assert not record.release(name)


def test_a_released_account_waits_no_longer(record):
    for number in range(FREE_ACCOUNT_FAILURES):
        record.failed(f"192.0.2.{number}", "joe@x")
    assert record.release("joe@x")
    assert record.delay_before("192.0.2.200", "joe@x") == 0.0


def test_the_log_tells_once_when_somebody_is_slowed(record):
    with capturedLogs() as events:
        fail(record, "192.0.2.1", "joe@x", FREE_HOST_FAILURES + 5)
    assert [event["peer"] for event in events] == ["192.0.2.1"]
    with capturedLogs() as events:
        for number in range(FREE_ACCOUNT_FAILURES):
            record.failed(f"198.51.100.{number}", "ann@x")
    assert [event["account"] for event in events] == ["ann@x"]
