"""So many in a span of time."""

from __future__ import annotations

from twisted.internet.task import Clock

from twisted_mail_node.policy.spans import SpanLimit


def test_a_span_begins_with_the_first_and_ends_for_each_name_by_itself():
    clock = Clock()
    limit = SpanLimit(clock, 2, 60.0, 100)
    assert [limit.take("a") for _ in range(3)] == [True, True, False]
    clock.advance(30)
    assert [limit.take("b") for _ in range(3)] == [True, True, False]
    clock.advance(30)
    assert limit.take("a")
    assert not limit.take("b")


def test_who_goes_on_while_it_is_too_much_does_not_wait_longer_for_that():
    clock = Clock()
    limit = SpanLimit(clock, 1, 60.0, 100)
    assert limit.take("a")
    for _ in range(59):
        clock.advance(1)
        assert not limit.take("a")
    clock.advance(1)
    assert limit.take("a")


def test_the_name_seen_longest_ago_is_forgotten_first():
    limit = SpanLimit(Clock(), 1, 60.0, 2)
    for name in "abac":
        limit.take(name)
    assert len(limit) == 2
    assert not limit.take("a")
    assert limit.take("b")


def test_without_a_limit_nothing_is_remembered():
    limit = SpanLimit(Clock(), 0, 60.0, 2)
    assert all(limit.take("a") for _ in range(10))
    assert len(limit) == 0
