"""Delivery into mailboxes behind a spool: outcomes out of what the store says, once however often it is tried."""

from __future__ import annotations

import pytest
from twisted.internet.defer import CancelledError, Deferred, fail, succeed
from twisted.internet.task import Clock
from zope.interface.verify import verifyObject

from twisted_mail_node.delivery.local import LocalDelivery
from twisted_mail_node.delivery.sorting import SortedDelivery
from twisted_mail_node.interfaces.queue import IDelivery, IQueueStore
from twisted_mail_node.mail.address import Address
from twisted_mail_node.mail.errors import NoSuchAccount, PermanentFailure, Refused, TemporaryFailure, Unavailable
from twisted_mail_node.mail.queue_item import Deferred as TryLater
from twisted_mail_node.mail.queue_item import Delivered, Failed
from twisted_mail_node.mail.status import EnhancedStatus
from twisted_mail_node.queue.spool import Spool
from twisted_mail_node.store.memory import MemoryStore
from twisted_mail_node.testing.deferreds import result_of
from twisted_mail_node.testing.samples import body, message, outgoing, place, transaction

ANN, BOB = "ann@example.test", "bob@example.test"
LARGE = message("x" * 400_000)
PREFIX = b"Return-Path: <>\r\n"


class Setting:
    """A spool, a store with Ann and Bob, and what brings mail from the one to the other."""

    def __init__(self):
        self.clock = Clock()
        self.spool_store, self.store = MemoryStore(self.clock), MemoryStore(self.clock)
        self.spool = Spool(self.spool_store)
        self.delivery = LocalDelivery(self.spool, self.store)
        result_of(self.spool_store.start())
        result_of(self.store.start())
        for name in (ANN, BOB):
            result_of(self.store.create_account(name))

    def lease(self, *parts, content=None):
        """What is to be delivered of a message with these parts."""
        spooled = transaction(*parts, bodies=(self.staged(content) if content else body(),))
        result_of(self.spool.deliver(spooled))
        return result_of(self.spool.lease("one", 0.0, 60.0, 100, frozenset()))

    def staged(self, content):
        writer = self.spool.stage_body()
        result_of(writer.write(content))
        return result_of(writer.finish(content.index(b"\r\n\r\n") + 4, False))

    def contents(self, name):
        """All messages in the account's INBOX."""
        inbox = result_of(result_of(self.store.account(name)).mailbox("INBOX"))
        opened = [result_of(inbox.open_body(uid)) for uid in result_of(inbox.uids())]
        return [result_of(each.read(0, each.size)) for each in opened]


@pytest.fixture
def setting():
    return Setting()


def test_the_doors_are_provided(setting):
    assert verifyObject(IDelivery, setting.delivery)
    assert verifyObject(IQueueStore, setting.spool)
    assert verifyObject(IDelivery, SortedDelivery(setting.delivery, setting.delivery))


@pytest.mark.parametrize("content", [message(), LARGE], ids=["small", "large"])
def test_each_recipient_has_the_message_with_its_prefix_however_often_it_is_tried(setting, content):
    items = setting.lease(place(ANN, prefix=PREFIX), place(BOB), content=content)
    for _ in range(3):
        outcomes = result_of(setting.delivery.deliver(items))
        assert [type(outcome) for outcome in outcomes] == [Delivered, Delivered]
    assert setting.contents(ANN) == [PREFIX + content]
    assert setting.contents(BOB) == [content]


def test_two_placements_in_one_mailbox_are_two_messages(setting):
    items = setting.lease(place(ANN), place(ANN))
    result_of(setting.delivery.deliver(items))
    assert setting.contents(ANN) == [message(), message()]


@pytest.mark.parametrize(
    ("error", "wanted"),
    [
        (Refused({0: (EnhancedStatus(5, 1, 1), "no such user")}), Failed(EnhancedStatus(5, 1, 1), "no such user")),
        (Refused({0: (EnhancedStatus(4, 2, 2), "full")}), TryLater(EnhancedStatus(4, 2, 2), "full")),
        (NoSuchAccount("gone"), Failed(EnhancedStatus(5, 1, 1), "gone")),
        (PermanentFailure("never"), Failed(EnhancedStatus(5, 3, 0), "never")),
        (TemporaryFailure("away"), TryLater(EnhancedStatus(4, 3, 0), "away")),
        (Unavailable("stopped"), TryLater(EnhancedStatus(4, 3, 0), "stopped")),
    ],
    ids=lambda value: type(value).__name__,
)
@pytest.mark.parametrize("content", [message(), LARGE], ids=["small", "large"])
def test_what_the_store_says_is_the_outcome(setting, error, wanted, content):
    items = setting.lease(place(ANN), content=content)
    setting.store.deliver = lambda transaction: fail(error)
    assert result_of(setting.delivery.deliver(items)) == [wanted]


def test_one_recipient_that_is_refused_does_not_keep_the_others_from_theirs(setting):
    items = setting.lease(place("nobody@example.test"), place(ANN))
    outcomes = result_of(setting.delivery.deliver(items))
    assert [type(outcome) for outcome in outcomes] == [Failed, Delivered]
    assert setting.contents(ANN) == [message()]


def test_a_mistake_in_the_store_is_logged_and_tried_again(setting, logged_failures):
    items = setting.lease(place(ANN))
    setting.store.deliver = lambda transaction: fail(ZeroDivisionError())
    (outcome,) = result_of(setting.delivery.deliver(items))
    assert isinstance(outcome, TryLater)
    assert [failure.type for failure in logged_failures] == [ZeroDivisionError]
    logged_failures.clear()


def test_a_body_that_cannot_be_read_is_logged_and_tried_again(setting, logged_failures):
    items = setting.lease(place(ANN), place(BOB))
    result_of(setting.spool_store.stop())
    outcomes = result_of(setting.delivery.deliver(items))
    assert [type(outcome) for outcome in outcomes] == [TryLater, TryLater]
    assert len(logged_failures) == 1
    logged_failures.clear()


def test_who_gives_up_waiting_is_told_so_and_may_try_again(setting):
    items = setting.lease(place(ANN))
    deliver, held = setting.store.deliver, Deferred()
    setting.store.deliver = lambda transaction: held
    under_way = setting.delivery.deliver(items)
    under_way.cancel()
    with pytest.raises(CancelledError):
        result_of(under_way)
    setting.store.deliver = deliver
    assert [type(outcome) for outcome in result_of(setting.delivery.deliver(items))] == [Delivered]


def test_reports_to_mailboxes_here_wait_in_the_spool_too(setting):
    setting.lease(place(BOB))
    report = transaction(place(ANN), outgoing("eve@far.test"))
    result_of(setting.spool.settle(1.0, [], [report]))
    waiting = [item for item in result_of(setting.spool.items()) if item.transaction_id == report.id]
    assert [(str(item.recipient), item.placement is None) for item in waiting] == [(ANN, False), ("eve@far.test", True)]


def test_an_item_goes_where_it_belongs(setting):
    class Elsewhere:
        def destination(self, item):
            return item.recipient.domain

        def deliver(self, items):
            return succeed(["sent on"])

        def stop(self):
            return succeed(None)

    here, far = setting.lease(place(ANN), outgoing("eve@far.test"))
    delivery = SortedDelivery(setting.delivery, Elsewhere())
    assert delivery.destination(far) == "far.test"
    assert Address.parse(ANN).domain != delivery.destination(here) != delivery.destination(far)
    assert result_of(delivery.deliver([far])) == ["sent on"]
    assert [type(outcome) for outcome in result_of(delivery.deliver([here]))] == [Delivered]
    assert result_of(delivery.stop()) is None
