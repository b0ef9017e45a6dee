"""What changes within a turn of the reactor is told in a later one."""

from __future__ import annotations

from twisted.internet.task import Clock

from twisted_mail_node.mail.changes import ChangeKind, ChangeNotice
from twisted_mail_node.store.memory.notices import Notices

ANN = "ann@example.test"


def test_what_changes_in_one_turn_is_told_once():
    clock, told = Clock(), []
    notices = Notices(clock)
    notices.watch(ANN, told.append)
    notices.changed(ANN, 4, ChangeKind.MESSAGES, frozenset({1}))
    notices.changed(ANN, 5, ChangeKind.MAILBOXES, frozenset())
    notices.changed(ANN, 6, ChangeKind.MESSAGES, frozenset({2}))
    assert told == []
    clock.advance(0)
    assert told == [ChangeNotice(ANN, 6, frozenset({1, 2}), ChangeKind.MESSAGES | ChangeKind.MAILBOXES)]
    clock.advance(1)
    assert len(told) == 1


def test_nothing_waits_where_nobody_listens():
    clock = Clock()
    notices = Notices(clock)
    notices.changed(ANN, 4, ChangeKind.MESSAGES, frozenset({1}))
    notices.queue_due()
    assert clock.getDelayedCalls() == []


def test_a_change_made_by_a_listener_is_told_in_a_later_turn():
    clock, told = Clock(), []
    notices = Notices(clock)
    telling = []

    def listener(notice):
        assert not telling, "told while being told"
        telling.append(True)
        told.append(notice.modseq)
        if notice.modseq < 3:
            notices.changed(ANN, notice.modseq + 1, ChangeKind.MESSAGES, frozenset({1}))
        telling.clear()

    notices.watch(ANN, listener)
    notices.changed(ANN, 1, ChangeKind.MESSAGES, frozenset({1}))
    clock.advance(0)
    clock.advance(0)
    assert told == [1, 2, 3]


def test_what_is_dropped_is_not_told():
    clock, told = Clock(), []
    notices = Notices(clock)
    notices.watch(ANN, told.append)
    notices.watch_queue(lambda: told.append("queue"))
    notices.changed(ANN, 1, ChangeKind.MESSAGES, frozenset({1}))
    notices.queue_due()
    notices.drop()
    notices.drop()
    assert clock.getDelayedCalls() == []
    notices.changed(ANN, 2, ChangeKind.MESSAGES, frozenset({1}))
    clock.advance(0)
    assert [notice.modseq for notice in told] == [2]
