from __future__ import annotations

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from twisted_mail_node.store.sql import answers
from twisted_mail_node.store.sql.answers import Answers


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def working(clock, monkeypatch):
    """Makes Deferreds whose callback takes some milliseconds and notes its result."""
    now, done = [0.0], []
    monkeypatch.setattr(answers, "monotonic", lambda: now[0])

    def work(result, milliseconds):
        now[0] += milliseconds / 1000
        done.append(result)

    def make(milliseconds):
        deferred = Deferred()
        deferred.addCallback(work, milliseconds)
        return deferred

    return make, done


def test_results_that_cost_little_are_given_in_one_turn(clock, working):
    make, done = working
    Answers(clock).give([(make(0.01), number) for number in range(100)], lambda: done.append("told"))
    assert done == [*range(100), "told"]
    assert clock.getDelayedCalls() == []


def test_between_results_that_take_long_others_have_their_turn(clock, working):
    make, done = working
    given = Answers(clock)
    given.give([(make(2), number) for number in range(7)], lambda: done.append("told"))
    assert done == [0, 1, 2]
    given.give([(make(0), "later")], lambda: done.append("told later"))
    assert done == [0, 1, 2]
    clock.callLater(0, done.append, "others")
    clock.advance(0)
    assert done == [0, 1, 2, 3, 4, 5, "others", 6, "told", "later", "told later"]
    assert clock.getDelayedCalls() == []


def test_at_the_end_all_is_given(clock, working):
    make, done = working
    given = Answers(clock)
    given.give([(make(9), number) for number in range(4)])
    assert done == [0]
    given.finish()
    assert done == [0, 1, 2, 3]
    assert clock.getDelayedCalls() == []
