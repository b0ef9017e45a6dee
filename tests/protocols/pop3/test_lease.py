"""The maildrop lease: taken, renewed, lost, given back."""

from __future__ import annotations

import pytest
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock
from zope.interface import implementer
from zope.interface.verify import verifyObject

from twisted_mail_node.interfaces.store import IMaildropLock
from twisted_mail_node.mail.errors import InUse, TemporaryFailure
from twisted_mail_node.protocols.pop3.lease import LIFETIME_SECONDS, RENEWAL_SECONDS, LocalMaildropLock, MaildropLease


@implementer(IMaildropLock)
class Locks:
    def __init__(self):
        self.error = None
        self.seen = []

    def acquire(self, account, holder, lifetime_seconds):
        self.seen.append("acquire")
        return succeed(None) if self.error is None else fail(self.error)

    def release(self, account, holder):
        self.seen.append("release")
        return succeed(None) if self.error is None else fail(self.error)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def locks():
    return Locks()


@pytest.fixture
def lost():
    return []


@pytest.fixture
def lease(locks, clock, lost):
    return MaildropLease(locks, "joe@x", "s1", clock, lambda: lost.append(True))


def acquire(lease, resolved):
    resolved(Deferred.fromCoroutine(lease.acquire()))


def test_it_is_renewed_until_it_is_given_back(lease, locks, clock, resolved):
    acquire(lease, resolved)
    clock.pump([RENEWAL_SECONDS] * 3)
    assert locks.seen == ["acquire"] * 4
    resolved(lease.release())
    resolved(lease.release())
    clock.pump([RENEWAL_SECONDS] * 3)
    assert locks.seen == ["acquire"] * 4 + ["release"]
    assert clock.getDelayedCalls() == []


def test_renewal_that_fails_for_now_is_tried_again(lease, locks, clock, resolved, lost):
    acquire(lease, resolved)
    locks.error = TemporaryFailure("disk")
    clock.advance(RENEWAL_SECONDS)
    locks.error = None
    clock.advance(RENEWAL_SECONDS)
    assert locks.seen == ["acquire"] * 3
    assert not lost


def test_lease_that_another_has_got_is_lost(lease, locks, clock, resolved, lost):
    acquire(lease, resolved)
    locks.error = InUse("taken")
    clock.advance(RENEWAL_SECONDS)
    assert lost == [True]
    assert clock.getDelayedCalls() == []


def test_lease_in_use_cannot_be_taken_and_is_given_back_all_the_same(lease, locks, clock, resolved):
    locks.error = InUse("taken")
    with pytest.raises(InUse):
        acquire(lease, resolved)
    resolved(lease.release())
    assert clock.getDelayedCalls() == []


def test_release_during_a_renewal_ends_it(lease, locks, clock, resolved, lost):
    acquire(lease, resolved)
    renewal = Deferred()
    locks.acquire = lambda *_: renewal
    clock.advance(RENEWAL_SECONDS)
    resolved(lease.release())
    renewal.errback(InUse("too late"))
    assert not lost
    assert clock.getDelayedCalls() == []


def test_local_locks_keep_one_holder_until_the_end(clock, resolved):
    locks = LocalMaildropLock(clock)
    verifyObject(IMaildropLock, locks)
    resolved(locks.acquire("joe@x", "a", LIFETIME_SECONDS))
    resolved(locks.acquire("joe@x", "a", LIFETIME_SECONDS))
    resolved(locks.acquire("ann@x", "b", LIFETIME_SECONDS))
    with pytest.raises(InUse):
        resolved(locks.acquire("joe@x", "b", LIFETIME_SECONDS))
    resolved(locks.release("joe@x", "b"))
    with pytest.raises(InUse):
        resolved(locks.acquire("joe@x", "b", LIFETIME_SECONDS))
    resolved(locks.release("joe@x", "a"))
    resolved(locks.acquire("joe@x", "b", LIFETIME_SECONDS))
    clock.advance(LIFETIME_SECONDS)
    resolved(locks.acquire("joe@x", "c", LIFETIME_SECONDS))
