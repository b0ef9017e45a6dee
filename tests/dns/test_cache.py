"""The cache: kept for a time, bounded, one lookup for all who wait."""

import pytest
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock

from twisted_mail_node.dns.cache import AnswerCache, Timed
from twisted_mail_node.mail.errors import TemporaryFailure, Unavailable


class Asked(list):
    """Every asking as (question, Deferred)."""

    def __call__(self, question):
        asked = Deferred()
        self.append((question, asked))
        return asked


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def asked():
    return Asked()


def result(deferred):
    out = []
    deferred.addBoth(out.append)
    assert out, "no result yet"
    return getattr(out[0], "value", out[0])


def test_an_answer_is_kept_for_its_time_and_then_asked_again(clock, asked):
    cache = AnswerCache(clock, asked)
    first = cache.get("q")
    asked[0][1].callback(Timed("answer", 10))
    assert result(first) == "answer"
    clock.advance(9.9)
    assert result(cache.get("q")) == "answer"
    assert len(asked) == 1
    clock.advance(0.1)
    again = cache.get("q")
    assert len(asked) == 2
    asked[1][1].callback(Timed("new", 10))
    assert result(again) == "new"


def test_no_answer_is_kept_longer_than_the_longest_time(clock, asked):
    cache = AnswerCache(clock, asked, longest_seconds=5)
    cache.get("q")
    asked[0][1].callback(Timed("answer", 1000))
    clock.advance(5)
    cache.get("q")
    assert len(asked) == 2


def test_a_failure_is_kept_too(clock, asked):
    cache = AnswerCache(clock, asked, failure_seconds=20)
    first = cache.get("q")
    asked[0][1].errback(TemporaryFailure("down"))
    assert result(first).text == "down"
    clock.advance(19)
    assert result(cache.get("q")).text == "down"
    clock.advance(1)
    cache.get("q")
    assert len(asked) == 2


def test_failures_can_be_forgotten_without_the_answers(clock, asked):
    cache = AnswerCache(clock, asked)
    first, second = cache.get("down"), cache.get("up")
    asked[0][1].errback(TemporaryFailure("down"))
    asked[1][1].callback(Timed("answer", 100))
    assert result(first).text == "down"
    cache.forget_failures()
    cache.get("down")
    assert len(asked) == 3
    assert result(second) == result(cache.get("up")) == "answer"
    assert len(asked) == 3


def test_a_bug_is_told_and_not_kept(clock, asked):
    cache = AnswerCache(clock, asked)
    first = cache.get("q")
    asked[0][1].errback(ZeroDivisionError())
    assert isinstance(result(first), ZeroDivisionError)
    cache.get("q")
    assert len(asked) == 2


def test_one_lookup_serves_all_who_wait(clock, asked):
    cache = AnswerCache(clock, asked)
    waiting = [cache.get("q") for _ in range(3)]
    assert len(asked) == 1
    asked[0][1].callback(Timed("answer", 10))
    assert [result(w) for w in waiting] == ["answer"] * 3


def test_cancelling_one_waiter_leaves_the_others_waiting(clock, asked):
    cache = AnswerCache(clock, asked)
    one, other = cache.get("q"), cache.get("q")
    one.cancel()
    assert isinstance(result(one), CancelledError)
    asked[0][1].callback(Timed("answer", 10))
    assert result(other) == "answer"


def test_the_last_waiter_to_go_cancels_the_lookup_and_the_next_asks_anew(clock, asked):
    cache = AnswerCache(clock, asked)
    only = cache.get("q")
    only.cancel()
    assert isinstance(result(only), CancelledError)
    assert asked[0][1].called
    again = cache.get("q")
    asked[1][1].callback(Timed("answer", 10))
    assert result(again) == "answer"


def test_the_least_recently_used_leaves_first(clock, asked):
    cache = AnswerCache(clock, asked, limit=2)
    for question in "abac":
        cache.get(question)
        if not asked[-1][1].called:
            asked[-1][1].callback(Timed(question, 10))
    assert len(cache) == 2
    cache.get("a")
    assert [question for question, _ in asked] == ["a", "b", "c"]


def test_stop_ends_the_waiting_and_later_questions(clock, asked):
    cache = AnswerCache(clock, asked)
    waiting = cache.get("q")
    cache.stop()
    assert isinstance(result(waiting), Unavailable)
    assert isinstance(result(cache.get("q")), Unavailable)
    assert len(asked) == 1
