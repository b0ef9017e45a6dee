"""Snapshots of a mailbox: kept, grown, taken anew, bounded."""

from __future__ import annotations

import pytest
from twisted.internet.defer import Deferred, succeed

from twisted_mail_node.mail.changes import MailboxStatus
from twisted_mail_node.mail.columns import Columns
from twisted_mail_node.mail.uid_set import UIDSet
from twisted_mail_node.protocols.pop3.snapshot import MIN_KEPT_ROWS, SLICE_ROWS, Snapshots


class Mailbox:
    """UIDs, those expunged but readable, and what was asked; a message's size is its UID."""

    account = "joe@x"

    def __init__(self, count, mailbox_id=1):
        self.mailbox_id = mailbox_id
        self.there = set(range(1, count + 1))
        self.readable = set()
        self.uid_next = count + 1
        self.uid_validity = 7
        self.asked = []
        self.after_status = lambda: None

    def add(self, count=1):
        self.there |= set(range(self.uid_next, self.uid_next + count))
        self.uid_next += count

    def expunge(self, *uids):
        self.there -= set(uids)
        self.readable |= set(uids)

    def status(self):
        size = sum(self.there)
        status = MailboxStatus(1, self.uid_validity, self.uid_next, len(self.there), 0, 0, size, 1, 0)
        self.after_status()
        return succeed(status)

    def uids(self):
        self.asked.append("uids")
        return succeed(UIDSet.of(self.there))

    def fetch(self, uids, items):
        found = sorted(uid for uid in self.there | self.readable if uid in uids)
        self.asked.append(len(found))
        return succeed(Columns(found, sizes=found))


@pytest.fixture
def snapshots():
    return Snapshots()


@pytest.fixture
def taken(resolved, snapshots):
    """A snapshot, which must be what is there, and what was asked for it."""

    def taken(mailbox):
        mailbox.asked.clear()
        there = sorted(mailbox.there)
        snapshot = resolved(Deferred.fromCoroutine(snapshots.take(mailbox)))
        assert list(snapshot.uids) == list(snapshot.sizes) == there
        assert snapshot.octets == sum(there)
        return list(mailbox.asked)

    return taken


def test_large_mailbox_is_asked_in_slices_and_then_not_again(taken):
    mailbox = Mailbox(2 * SLICE_ROWS + 5)
    assert taken(mailbox) == ["uids", SLICE_ROWS, SLICE_ROWS, 5]
    assert taken(mailbox) == []


def test_only_what_is_new_is_asked_for(taken):
    mailbox = Mailbox(1000)
    taken(mailbox)
    mailbox.add(3)
    assert taken(mailbox) == [3]
    assert taken(mailbox) == []


def test_expunge_makes_it_be_taken_anew(taken):
    mailbox = Mailbox(1000)
    taken(mailbox)
    mailbox.expunge(500)
    assert taken(mailbox) == ["uids", 999]
    assert taken(mailbox) == []


@pytest.mark.parametrize("expunged", [[500], [1002], [500, 1002], [1001, 1002], [999, 998, 997]])
def test_new_mail_does_not_hide_an_expunge(taken, expunged):
    mailbox = Mailbox(1000)
    taken(mailbox)
    mailbox.add(3)
    mailbox.expunge(*expunged)
    assert "uids" in taken(mailbox)


def test_another_uid_validity_makes_it_be_taken_anew(taken):
    mailbox = Mailbox(1000)
    taken(mailbox)
    mailbox.uid_validity = 8
    assert taken(mailbox)[0] == "uids"


def test_what_comes_while_it_is_taken_is_left_for_the_next(taken, resolved, snapshots):
    mailbox = Mailbox(1000)
    mailbox.after_status = mailbox.add
    snapshot = resolved(Deferred.fromCoroutine(snapshots.take(mailbox)))
    assert len(snapshot) == 1000
    mailbox.after_status = lambda: None
    assert taken(mailbox) == [1]


def test_what_goes_while_it_is_taken_makes_it_not_be_kept(taken, resolved, snapshots):
    mailbox = Mailbox(1000)
    mailbox.after_status = lambda: mailbox.expunge(5)
    assert len(resolved(Deferred.fromCoroutine(snapshots.take(mailbox)))) == 999
    mailbox.after_status = lambda: None
    assert taken(mailbox)[0] == "uids"


def test_small_mailboxes_are_not_kept(taken, snapshots):
    mailbox = Mailbox(MIN_KEPT_ROWS - 1)
    taken(mailbox)
    assert snapshots.kept_rows == 0
    assert taken(mailbox)[0] == "uids"


def test_rows_kept_are_bounded_and_the_least_recently_used_go_first(resolved):
    snapshots = Snapshots(max_kept_rows=2500)
    mailboxes = [Mailbox(1000, mailbox_id) for mailbox_id in (1, 2, 3)]
    huge = Mailbox(2501, 4)
    for mailbox in (mailboxes[0], mailboxes[1], mailboxes[0], mailboxes[2], huge):
        resolved(Deferred.fromCoroutine(snapshots.take(mailbox)))
    assert snapshots.kept_rows == 2000
    first, second, third = mailboxes
    for mailbox, kept in ((first, True), (third, True), (second, False)):
        mailbox.asked.clear()
        resolved(Deferred.fromCoroutine(snapshots.take(mailbox)))
        assert (mailbox.asked == []) is kept


def test_snapshot_of_a_session_does_not_change_when_the_next_one_grows(resolved, snapshots):
    mailbox = Mailbox(1000)
    first = resolved(Deferred.fromCoroutine(snapshots.take(mailbox)))
    mailbox.add(5)
    second = resolved(Deferred.fromCoroutine(snapshots.take(mailbox)))
    assert (len(first), len(second)) == (1000, 1005)
