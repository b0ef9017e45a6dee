"""Who is told of changes, and who is not."""

from __future__ import annotations

from twisted_mail_node.mail.changes import ChangeKind, ChangeNotice
from twisted_mail_node.store.watches import Watches

ANN, BEN = "ann@example.test", "ben@example.test"
OF_ANN = ChangeNotice(ANN, 4, frozenset({1}), ChangeKind.MESSAGES)


def test_a_listener_hears_of_its_own_account_only():
    watches, told = Watches(), []
    watches.watch(ANN, told.append)
    watches.tell([ChangeNotice(BEN, 9, frozenset(), ChangeKind.MESSAGES), OF_ANN], False)
    assert told == [OF_ANN]


def test_the_queues_listeners_hear_of_the_queue_only():
    watches, told = Watches(), []
    watches.watch_queue(lambda: told.append("queue"))
    watches.tell([OF_ANN], False)
    assert told == []
    watches.tell([], True)
    assert told == ["queue"]


def test_who_has_cancelled_hears_nothing_and_leaves_nothing_behind():
    watches, told = Watches(), []
    first, second = watches.watch(ANN, told.append), watches.watch(ANN, told.append)
    first.cancel()
    first.cancel()
    assert watches.is_watched(ANN)
    second.cancel()
    watches.tell([OF_ANN], True)
    assert told == []
    assert not watches.is_watched(ANN)


def test_a_listener_that_another_one_cancels_meanwhile_is_not_told():
    watches, told = Watches(), []
    watches.watch(ANN, lambda _: later.cancel())
    later = watches.watch(ANN, told.append)
    watches.tell([OF_ANN], False)
    assert told == []


def test_a_listener_that_comes_meanwhile_is_told_the_next_time():
    watches, told = Watches(), []
    watches.watch(ANN, lambda _: watches.watch(ANN, told.append))
    watches.tell([OF_ANN], False)
    assert told == []
    watches.tell([OF_ANN], False)
    assert told == [OF_ANN]


def test_a_listener_that_fails_is_logged_and_disturbs_no_other(logged_failures):
    watches, told = Watches(), []

    def fail(*_):
        raise ZeroDivisionError

    watches.watch(ANN, fail)
    watches.watch(ANN, told.append)
    watches.watch_queue(fail)
    watches.watch_queue(lambda: told.append("queue"))
    watches.tell([OF_ANN], True)
    assert told == [OF_ANN, "queue"]
    assert [failure.type for failure in logged_failures] == [ZeroDivisionError] * 2
    logged_failures.clear()
