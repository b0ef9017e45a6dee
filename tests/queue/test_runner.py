"""The runner on a memory store, with a scripted delivery and a fake clock."""

from collections import Counter
from dataclasses import replace
from itertools import count, pairwise

import pytest
from twisted.internet import defer
from twisted.internet.task import Clock
from twisted.logger import formatEvent, globalLogPublisher

from twisted_mail_node.mail.address import Address
from twisted_mail_node.mail.columns import InternalDate
from twisted_mail_node.mail.envelope import Recipient, Target
from twisted_mail_node.mail.errors import PermanentFailure, Refused, TemporaryFailure, Unavailable
from twisted_mail_node.mail.options import MailOptions, Notify, RecipientOptions, Return
from twisted_mail_node.mail.queue_item import Deferred, Delivered, Failed, ItemState
from twisted_mail_node.mail.status import EnhancedStatus
from twisted_mail_node.mail.transaction import Placement
from twisted_mail_node.queue.bouncer import Bouncer
from twisted_mail_node.queue.runner import QueueRunner, RunnerLimits
from twisted_mail_node.queue.schedule import Schedule
from twisted_mail_node.store.memory.store import MemoryStore
from twisted_mail_node.testing.deferreds import result_of
from twisted_mail_node.testing.samples import body, outgoing, transaction

OK = Delivered("250 ok", "mx.b.test")
LATER = Deferred(EnhancedStatus(4, 2, 0), "450 later", "mx.b.test", "C: MAIL")
NEVER = Failed(EnhancedStatus(5, 1, 1), "550 no", "mx.b.test", "C: MAIL")
DAY = 86400.0


class ScriptedDelivery:
    """Answers with what `outcome` says of an item; None leaves the delivery under way."""

    def __init__(self, outcome=OK):
        self.outcome = outcome if callable(outcome) else lambda item: outcome
        self.calls, self.under_way, self.most = [], [], Counter()

    def destination(self, item):
        return item.recipient.domain

    def deliver(self, items):
        self.calls.append(list(items))
        outcomes = [self.outcome(item) for item in items]
        if None not in outcomes:
            return defer.succeed(outcomes)
        waiting = defer.Deferred()
        self.under_way.append((waiting, list(items)))
        domains = Counter(items[0].recipient.domain for _, items in self.under_way)
        self.most |= domains
        return waiting

    def end_one(self, outcome=OK, position=0):
        waiting, items = self.under_way.pop(position)
        waiting.callback([outcome] * len(items))

    def stop(self):
        return defer.succeed(None)


class Mortal:
    """A store as a process sees it that may be killed: nothing it does afterwards has an effect or an answer."""

    def __init__(self, store):
        self._store, self.is_dead = store, False

    def watch_queue(self, listener):
        self._store.watch_queue(lambda: None if self.is_dead else listener())

    def __getattr__(self, name):
        return (lambda *args: defer.Deferred()) if self.is_dead else getattr(self._store, name)


class World:
    now = staticmethod(result_of)

    def __init__(self):
        self.clock = Clock()
        self.clock.advance(1_000_000)
        self.store = MemoryStore(self.clock)
        self.now(self.store.start())
        self.now(self.store.create_account("ann@example.test"))
        self.ids = (f"report-{n}" for n in count(1))
        self.resolved = Recipient(Address.parse("ann@example.test"), (Target("ann@example.test"),))
        self.commits = []
        settle = self.store.settle

        def counted(now, settled, follow_ups=()):
            self.commits.append((len(settled), len(follow_ups)))
            return settle(now, settled, follow_ups)

        self.store.settle = counted

    def resolve(self, address):
        return defer.fail(self.resolved) if isinstance(self.resolved, Exception) else defer.succeed(self.resolved)

    def runner(self, delivery, owner="one", started=True, store=None, schedule=None, **limits):
        bouncer = Bouncer(
            self.store,
            self.resolve,
            hostname="mx.example.test",
            postmaster=Address.parse("postmaster@example.test"),
            new_id=lambda: next(self.ids),
        )
        runner = QueueRunner(
            store or self.store,
            delivery,
            self.clock,
            owner,
            bouncer=bouncer,
            schedule=schedule,
            limits=RunnerLimits(**limits),
            chance=lambda: 0.5,
        )
        if started:
            self.now(runner.start())
            self.run(1)
        return runner

    def put(self, *recipients, sender="ann@example.test", **more):
        parts = [outgoing(recipient, sender=sender) for recipient in recipients]
        self.now(self.store.deliver(transaction(*parts, now=self.clock.seconds(), **more)))

    def run(self, seconds):
        """Let time pass from one timed call to the next."""
        end = self.clock.seconds() + seconds
        while (calls := self.clock.getDelayedCalls()) and (due := min(c.getTime() for c in calls)) <= end:
            self.clock.advance(max(0.0, due - self.clock.seconds()))
        self.clock.advance(end - self.clock.seconds())

    def items(self):
        return self.now(self.store.items())

    def reports(self):
        account = self.now(self.store.account("ann@example.test"))
        inbox = self.now(account.mailbox("INBOX"))
        out = []
        for uid in self.now(inbox.uids()):
            opened = self.now(inbox.open_body(uid))
            out.append(self.now(opened.read(0, opened.size)))
        return out


@pytest.fixture
def world():
    return World()


def test_what_is_due_is_delivered_and_leaves_the_queue(world):
    delivery = ScriptedDelivery()
    world.put("r@b.test")
    world.runner(delivery)
    assert not world.items()
    assert len(delivery.calls) == 1


def test_one_alarm_is_set_however_often_the_next_time_comes_nearer(world):
    runner = world.runner(ScriptedDelivery(LATER), schedule=Schedule(intervals_seconds=(40.0, 5.0), jitter=0.0))
    idle = len(world.clock.getDelayedCalls())
    for number in range(5):
        world.put(f"r@b{number}.test")
        world.run(0.5)
    assert len(world.clock.getDelayedCalls()) == idle
    world.now(runner.stop())
    assert not world.clock.getDelayedCalls()


def test_new_mail_is_delivered_as_soon_as_it_is_there(world):
    delivery = ScriptedDelivery()
    world.runner(delivery)
    world.put("r@b.test")
    world.run(0.1)
    assert not world.items()


def test_recipients_of_one_message_go_together_by_destination(world):
    delivery = ScriptedDelivery()
    world.put("a@b.test", "x@c.test", "b@b.test")
    world.runner(delivery)
    assert sorted([str(item.recipient) for item in call] for call in delivery.calls) == [
        ["a@b.test", "b@b.test"],
        ["x@c.test"],
    ]


def test_outcomes_share_commits(world):
    for _ in range(200):
        world.put("r@b.test")
    leases = []
    lease = world.store.lease
    world.store.lease = lambda *a: leases.append(a) or lease(*a)
    world.runner(ScriptedDelivery())
    assert not world.items()
    assert len(world.commits) <= 2
    assert len(leases) <= 4


def test_tries_go_on_for_five_days_and_then_the_sender_is_told_once(world):
    times = []
    start = world.clock.seconds()
    delivery = ScriptedDelivery(lambda item: times.append(world.clock.seconds() - start) or LATER)
    world.put("r@b.test")
    world.runner(delivery)
    world.run(6 * DAY)
    assert len(times) == 23
    assert [round(b - a) for a, b in pairwise(times)][:4] == [60, 300, 900, 1800]
    assert times[-1] == pytest.approx(5 * DAY, abs=1)
    assert not world.items()
    (told,) = world.reports()
    assert b"Status: 5.4.7" in told
    assert b"450 later" in told
    assert told.startswith(b"Return-Path: <>\r\n")


def test_tries_come_when_they_are_due_and_not_when_the_queue_is_polled(world):
    times = []
    start = world.clock.seconds()
    delivery = ScriptedDelivery(lambda item: times.append(world.clock.seconds() - start) or LATER)
    world.put("r@b.test")
    world.runner(delivery, schedule=Schedule(intervals_seconds=(7.0, 13.0), then_every_seconds=17.0))
    world.run(60)
    assert times == pytest.approx([0, 7, 20, 37, 54], abs=0.5)


def test_a_deferred_item_remembers_what_was_said(world):
    world.put("r@b.test")
    world.runner(ScriptedDelivery(LATER))
    (item,) = world.items()
    assert (item.state, item.attempts, item.last_reply) == (ItemState.DUE, 1, "450 later")
    assert world.now(world.store.item(item.item_id)).transcript == "C: MAIL"


def test_one_report_tells_of_all_recipients_that_failed_together(world):
    delivery = ScriptedDelivery(lambda item: OK if item.recipient.local_part == "good" else NEVER)
    world.put("bad@b.test", "good@b.test", "worse@c.test")
    world.put("other@b.test")
    world.runner(delivery)
    first, second = sorted(world.reports(), key=len, reverse=True)
    assert b"bad@b.test" in first
    assert b"worse@c.test" in first
    assert b"good@b.test" not in first
    assert b"other@b.test" in second
    assert world.commits == [(4, 2)]
    assert not world.items()


def test_nobody_is_told_of_a_message_without_sender(world):
    world.put("r@b.test", sender=None)
    world.runner(ScriptedDelivery(NEVER))
    assert not world.items()
    assert not world.reports()


def test_a_report_to_elsewhere_is_queued_and_its_failure_is_the_end(world):
    world.resolved = Recipient(Address.parse("s@c.test"), (), (Address.parse("s@c.test"),))
    delivery = ScriptedDelivery(NEVER)
    world.put("r@b.test", sender="s@c.test")
    world.runner(delivery)
    world.run(DAY)
    assert [str(call[0].recipient) for call in delivery.calls] == ["r@b.test", "s@c.test"]
    assert delivery.calls[1][0].sender is None
    assert not world.items()


def test_a_sender_that_does_not_exist_is_not_told(world):
    world.resolved = PermanentFailure("no such user")
    world.put("r@b.test")
    world.runner(ScriptedDelivery(NEVER))
    assert not world.items()
    assert not world.reports()


def test_a_report_that_cannot_be_made_now_is_made_later_and_holds_up_nobody(world, logged_failures):
    resolved, world.resolved = world.resolved, TemporaryFailure("not now")
    delivery = ScriptedDelivery(lambda item: NEVER if item.recipient.domain == "b.test" else OK)
    world.put("r@b.test")
    world.put("r@c.test")
    world.runner(delivery)
    assert [str(item.recipient) for item in world.items()] == ["r@b.test"]
    world.resolved = resolved
    world.run(600)
    assert not world.items()
    assert len(world.reports()) == 1
    assert len(delivery.calls) == 2
    logged_failures.clear()


def test_a_report_whose_mailbox_is_gone_is_left_out_and_the_others_are_kept(world):
    world.put("r@b.test")
    world.put("r@b.test", sender="gone@example.test")
    lost = Recipient(Address.parse("gone@example.test"), (Target("gone@example.test"),))
    kept = world.resolved
    world.resolve = lambda address: defer.succeed(lost if address.local_part == "gone" else kept)
    world.runner(ScriptedDelivery(NEVER))
    assert not world.items()
    assert len(world.reports()) == 1


def assert_traced_unless_unavailable(logged_failures, trouble):
    """A store that cannot be reached says so itself: the log has no trace for each that asked it."""
    assert bool(logged_failures) != isinstance(trouble, Unavailable)
    assert all(failure.value is trouble for failure in logged_failures)
    logged_failures.clear()


@pytest.mark.parametrize("trouble", [TemporaryFailure("disk full"), Unavailable("not reached")], ids=lambda e: e.text)
def test_an_outcome_that_cannot_be_recorded_is_kept_and_recorded_later(world, logged_failures, trouble):
    delivery = ScriptedDelivery()
    world.put("r@b.test")
    settle, world.store.settle = world.store.settle, lambda *a: defer.fail(trouble)
    world.runner(delivery)
    world.run(1000)
    assert len(delivery.calls) == 1
    world.store.settle = settle
    world.run(120)
    assert not world.items()
    assert len(delivery.calls) == 1
    assert_traced_unless_unavailable(logged_failures, trouble)


@pytest.mark.parametrize("trouble", [TemporaryFailure("disk full"), Unavailable("not reached")], ids=lambda e: e.text)
def test_a_store_that_cannot_lease_is_asked_again(world, logged_failures, trouble):
    delivery = ScriptedDelivery()
    lease, world.store.lease = world.store.lease, lambda *a: defer.fail(trouble)
    world.runner(delivery)
    world.put("r@b.test")
    world.run(3)
    world.store.lease = lease
    world.run(2)
    assert not world.items()
    assert_traced_unless_unavailable(logged_failures, trouble)


@pytest.mark.parametrize(
    "broken", [lambda items: defer.fail(ZeroDivisionError()), lambda items: 1 / 0, lambda items: defer.succeed([])]
)
def test_a_delivery_that_breaks_is_tried_again_later(world, logged_failures, broken):
    delivery = ScriptedDelivery()
    delivery.deliver = broken
    world.put("r@b.test")
    world.runner(delivery)
    (item,) = world.items()
    assert (item.attempts, str(item.last_status)) == (1, "4.3.0")
    assert logged_failures.pop().check(ZeroDivisionError, ValueError)


def test_no_destination_has_more_than_its_share_under_way(world):
    delivery = ScriptedDelivery(lambda item: None)
    for _ in range(50):
        world.put("r@b.test")
    for n in range(30):
        world.put(f"r@d{n}.test")
    world.runner(delivery, messages_per_destination=3, messages_in_flight=20)
    assert len(delivery.under_way) == 20
    for _ in range(80):
        delivery.end_one()
        world.run(0.1)
    assert delivery.most["b.test"] <= 3
    assert not world.items()


def test_a_dead_destination_does_not_slow_the_others(world):
    delivery = ScriptedDelivery(lambda item: None if item.recipient.domain == "dead.test" else OK)
    for _ in range(500):
        world.put("r@dead.test")
    for n in range(300):
        world.put(f"r@d{n}.test")
    world.runner(delivery)
    assert {item.recipient.domain for item in world.items()} == {"dead.test"}
    world.put("late@b.test")
    world.run(1)
    assert {item.recipient.domain for item in world.items()} == {"dead.test"}


def test_no_more_is_leased_than_memory_is_set_aside_for(world):
    delivery = ScriptedDelivery(lambda item: None)
    for n in range(100):
        world.put(f"r@d{n}.test")
    world.runner(delivery, leased_items=40, items_per_lease=20)
    assert sum(item.state is ItemState.LEASED for item in world.items()) == 40
    while delivery.under_way:
        delivery.end_one()
        world.run(0.1)
    assert not world.items()


def test_leases_are_renewed_while_a_delivery_takes_long(world):
    delivery, other = ScriptedDelivery(lambda item: None), ScriptedDelivery()
    world.put("r@b.test")
    world.runner(delivery)
    world.runner(other, owner="two")
    world.run(3600)
    assert not other.calls
    delivery.end_one()
    world.run(1)
    assert not world.items()


def test_two_runners_never_try_the_same_item_at_once(world):
    at_work = set()

    def begin(item):
        assert item.item_id not in at_work
        at_work.add(item.item_id)
        return None

    deliveries = [ScriptedDelivery(begin), ScriptedDelivery(begin)]
    for n in range(60):
        world.put(f"r@d{n % 7}.test")
    for number, delivery in enumerate(deliveries):
        world.runner(delivery, owner=f"owner-{number}", items_per_lease=5, leased_items=10)
    for step in range(200):
        delivery = deliveries[step % 2]
        if delivery.under_way:
            at_work.difference_update(item.item_id for item in delivery.under_way[0][1])
            delivery.end_one(LATER if step % 5 == 0 else OK)
        world.run(70)
    assert all(delivery.calls for delivery in deliveries)
    assert not world.items()


def test_what_a_killed_runner_held_is_taken_up_by_its_successor_at_once(world):
    killed = ScriptedDelivery(lambda item: None)
    world.put("r@b.test")
    mortal = Mortal(world.store)
    world.runner(killed, store=mortal)
    mortal.is_dead = True
    successor = ScriptedDelivery()
    world.runner(successor)
    assert len(successor.calls) == 1
    assert not world.items()


def test_what_a_killed_runner_held_is_taken_up_by_another_when_the_lease_ends(world):
    killed = ScriptedDelivery(lambda item: None)
    world.put("r@b.test")
    mortal = Mortal(world.store)
    world.runner(killed, store=mortal)
    mortal.is_dead = True
    other = ScriptedDelivery()
    world.runner(other, owner="two")
    world.run(200)
    assert not other.calls
    world.run(200)
    assert len(other.calls) == 1
    assert not world.items()


def test_a_runner_that_lost_its_leases_records_nothing_and_reports_nothing(world, logged_failures):
    cut_off, other = ScriptedDelivery(lambda item: None), ScriptedDelivery(NEVER)
    world.put("r@b.test")
    mortal = Mortal(world.store)
    world.runner(cut_off, store=mortal)
    mortal.is_dead = True
    world.runner(other, owner="two")
    world.run(400)
    mortal.is_dead = False
    cut_off.end_one(NEVER)
    world.run(10)
    assert not world.items()
    assert len(world.reports()) == 1
    assert len(other.calls) == 1


@pytest.mark.parametrize("moment", ["lease", "settle", "next_due", "renew"])
def test_a_runner_killed_at_any_commit_leaves_nothing_undone(world, moment):
    """Before the commit or after it, as seen by the successor; each recipient is recorded once."""
    outcome = {"b.test": OK, "c.test": NEVER}
    for after in (False, True):
        mortal = Mortal(world.store)
        act = getattr(world.store, moment)

        def killing(*args, mortal=mortal, act=act, after=after):
            if after and not mortal.is_dead:
                act(*args)
            mortal.is_dead = True
            return defer.Deferred()

        world.put("r@b.test", "bad@c.test")
        setattr(mortal, moment, killing)
        delivery = ScriptedDelivery(lambda item: None if moment == "renew" else outcome[item.recipient.domain])
        world.runner(delivery, owner=f"killed-{after}", store=mortal)
        world.run(400)
        assert mortal.is_dead
        world.runner(ScriptedDelivery(lambda item: outcome[item.recipient.domain]), owner=f"next-{after}")
        world.run(1000)
        assert not world.items()
        assert len(world.reports()) == 1 + after


def test_stop_waits_a_little_records_and_gives_leases_back(world):
    delivery = ScriptedDelivery(lambda item: None)
    for _ in range(30):
        world.put("r@b.test")
    runner = world.runner(delivery)
    stopped = runner.stop()
    delivery.end_one()
    world.run(4)
    assert not stopped.called
    world.run(2)
    world.now(stopped)
    assert [item.state for item in world.items()] == [ItemState.DUE] * 29
    assert not world.clock.getDelayedCalls()
    assert all(item.attempts == 0 for item in world.items())


def test_stop_waits_for_a_lease_that_is_being_taken(world):
    asked = defer.Deferred()
    world.put("r@b.test")
    lease, world.store.lease = world.store.lease, lambda *a: asked
    delivery = ScriptedDelivery()
    runner = world.runner(delivery)
    stopped = runner.stop()
    assert not stopped.called
    asked.callback(world.now(lease("one", world.clock.seconds(), world.clock.seconds() + 300, 10, frozenset())))
    world.now(stopped)
    assert not delivery.calls
    assert [item.state for item in world.items()] == [ItemState.DUE]


def test_stop_records_what_waited_to_be_recorded(world, logged_failures):
    world.put("r@b.test")
    settle, world.store.settle = world.store.settle, lambda *a: defer.fail(TemporaryFailure("disk full"))
    runner = world.runner(ScriptedDelivery())
    world.store.settle = settle
    world.now(runner.stop())
    assert not world.items()
    assert not world.clock.getDelayedCalls()
    logged_failures.clear()


def test_what_waited_in_line_until_its_lease_was_lost_is_left_to_others(world):
    cut_off = ScriptedDelivery(lambda item: None)
    for _ in range(3):
        world.put("r@b.test")
    mortal = Mortal(world.store)
    world.runner(cut_off, store=mortal, messages_per_destination=1)
    mortal.is_dead = True
    world.run(400)
    mortal.is_dead = False
    cut_off.end_one()
    world.run(1)
    other = ScriptedDelivery()
    world.runner(other, owner="two")
    world.run(400)
    calls = [call[0].item_id for call in cut_off.calls[1:] + other.calls]
    assert len(calls) == len(set(calls))


@pytest.mark.parametrize("trouble", [TemporaryFailure("disk full"), Unavailable("not reached")], ids=lambda e: e.text)
def test_a_renewal_that_fails_is_made_again(world, logged_failures, trouble):
    delivery, other = ScriptedDelivery(lambda item: None), ScriptedDelivery()
    world.put("r@b.test")
    renew, world.store.renew = world.store.renew, lambda *a: defer.fail(trouble)
    world.runner(delivery)
    world.run(110)
    world.store.renew = renew
    world.runner(other, owner="two")
    world.run(1000)
    assert not other.calls
    delivery.end_one()
    world.run(1)
    assert not world.items()
    assert_traced_unless_unavailable(logged_failures, trouble)


def test_without_a_bouncer_failures_just_leave(world):
    world.put("r@b.test")
    runner = QueueRunner(world.store, ScriptedDelivery(NEVER), world.clock, "one")
    world.now(runner.start())
    world.run(1)
    assert not world.items()
    assert not world.reports()


def test_stop_is_at_once_where_nothing_is_under_way_and_nothing_begins_after_it(world):
    delivery = ScriptedDelivery()
    runner = world.runner(delivery)
    world.now(runner.stop())
    world.put("r@b.test")
    world.run(1000)
    assert not delivery.calls
    assert not world.clock.getDelayedCalls()
    world.now(runner.stop())


def test_a_runner_can_be_started_again(world):
    delivery = ScriptedDelivery()
    runner = world.runner(delivery)
    world.now(runner.stop())
    world.put("r@b.test")
    world.now(runner.start())
    world.run(1)
    assert not world.items()


def test_a_retry_by_hand_is_tried_at_once(world):
    outcomes = iter([LATER, OK])
    delivery = ScriptedDelivery(lambda item: next(outcomes))
    world.put("r@b.test")
    world.runner(delivery)
    world.now(world.store.retry(None, world.clock.seconds()))
    world.run(0.1)
    assert not world.items()


def test_many_recipients_are_cut_into_several_deliveries(world):
    delivery = ScriptedDelivery()
    world.put(*(f"r{n}@b.test" for n in range(250)))
    world.runner(delivery, items_per_lease=250)
    assert sorted(len(call) for call in delivery.calls) == [50, 100, 100]


def test_a_report_of_many_recipients_comes_in_several(world):
    world.put(*(f"r{n}@b.test" for n in range(100)))
    world.runner(ScriptedDelivery(NEVER))
    assert len(world.reports()) == 2


def asking(recipient, notify, **options):
    return replace(
        outgoing(recipient, sender="ann@example.test"),
        recipient_options=RecipientOptions(notify=notify),
        options=MailOptions(**options),
    )


def put_asking(world, *parts, **more):
    world.now(world.store.deliver(transaction(*parts, now=world.clock.seconds(), **more)))


@pytest.mark.parametrize(
    ("notify", "outcome", "action"),
    [
        (None, OK, None),
        (None, NEVER, b"failed"),
        (Notify.NEVER, OK, None),
        (Notify.NEVER, NEVER, None),
        (Notify.FAILURE, OK, None),
        (Notify.FAILURE, NEVER, b"failed"),
        (Notify.SUCCESS, OK, b"relayed"),
        (Notify.SUCCESS, NEVER, None),
        (Notify.SUCCESS, replace(OK, reports=True), None),
        (Notify.DELAY, NEVER, None),
    ],
)
def test_the_sender_is_told_what_was_asked_for(world, notify, outcome, action):
    """RFC 3461 §5.2.2, §5.2.6."""
    put_asking(world, asking("r@b.test", notify, envelope_id="one"))
    world.runner(ScriptedDelivery(outcome))
    assert not world.items()
    reports = world.reports()
    assert len(reports) == (action is not None)
    for report in reports:
        assert b"\r\nAction: %s\r\n" % action in report
        assert b"\r\nOriginal-Envelope-Id: one\r\n" in report
    assert world.commits == [(1, len(reports))]


def test_what_waited_for_a_mailbox_here_is_delivered(world):
    placed = Placement("bob@example.test", "INBOX", 0, InternalDate(0))
    part = replace(asking("bob@example.test", Notify.SUCCESS), placement=placed)
    put_asking(world, replace(part, original_recipient=Address.parse("robert@example.test")))
    world.runner(ScriptedDelivery(Delivered("delivered to the mailbox", "")))
    (report,) = world.reports()
    assert b"\r\nAction: delivered\r\n" in report
    assert b"\r\nFinal-Recipient: rfc822; robert@example.test\r\n" in report
    assert b"bob@" not in report


def test_one_report_tells_of_success_and_failure(world):
    wishes = Notify.SUCCESS | Notify.FAILURE
    put_asking(world, asking("good@b.test", wishes), asking("bad@b.test", wishes), asking("quiet@b.test", Notify.NEVER))
    world.runner(ScriptedDelivery(lambda item: OK if item.recipient.local_part == "good" else NEVER))
    (report,) = world.reports()
    assert report.count(b"\r\nAction: ") == 2
    assert b"quiet@b.test" not in report
    assert world.commits == [(3, 1)]


def test_success_is_not_told_to_nobody(world):
    part = replace(outgoing("r@b.test", sender=None), recipient_options=RecipientOptions(notify=Notify.SUCCESS))
    put_asking(world, part)
    world.runner(ScriptedDelivery(OK))
    assert not world.reports()


def test_a_report_that_fails_is_a_word_in_the_log(world, logged):
    part = replace(outgoing("r@b.test", sender=None), recipient_options=RecipientOptions(notify=Notify.NEVER))
    put_asking(world, part)
    world.runner(ScriptedDelivery(NEVER))
    assert not world.reports()
    assert any("no sender to tell" in event["log_format"] for event in logged("queue_id"))


@pytest.mark.parametrize(
    ("ret", "outcome", "is_whole"),
    [(Return.FULL, NEVER, True), (Return.FULL, OK, False), (Return.HEADERS, NEVER, False)],
)
def test_a_failed_message_comes_back_whole_where_that_was_asked_for(world, ret, outcome, is_whole):
    wishes = Notify.SUCCESS | Notify.FAILURE
    message = body(b"Subject: the one\r\n\r\nsecret text\r\n")
    put_asking(world, asking("r@b.test", wishes, ret=ret), bodies=(message,))
    world.runner(ScriptedDelivery(outcome))
    (report,) = world.reports()
    assert (b"secret text" in report) is is_whole


def test_a_report_to_elsewhere_asks_for_no_report(world):
    """RFC 3461 §6.1."""
    world.resolved = Recipient(Address.parse("s@c.test"), (), (Address.parse("s@c.test"),))
    put_asking(world, asking("r@b.test", Notify.SUCCESS, ret=Return.FULL, envelope_id="one"))
    world.runner(ScriptedDelivery(lambda item: OK if item.recipient.domain == "b.test" else LATER))
    (report,) = world.items()
    assert (report.sender, report.recipient_options.notify) == (None, Notify.NEVER)
    assert (report.options.ret, report.options.envelope_id) == (None, None)


def test_the_header_in_a_report_is_the_messages(world):
    world.put("r@b.test", bodies=(body(b"Subject: the one\r\n\r\nsecret text\r\n"),))
    world.runner(ScriptedDelivery(NEVER))
    (told,) = world.reports()
    assert b"Subject: the one" in told
    assert b"secret text" not in told


@pytest.fixture
def logged():
    events = []
    globalLogPublisher.addObserver(events.append)
    yield lambda name: [event for event in events if name in event]
    globalLogPublisher.removeObserver(events.append)


def test_every_try_is_logged_for_every_recipient_with_the_same_fields(world, logged):
    outcomes = {"ok": OK, "later": LATER, "never": NEVER}
    world.put("ok@b.test", "later@b.test", "never@b.test")
    world.runner(ScriptedDelivery(lambda item: outcomes[item.recipient.local_part]))
    world.run(1)
    told = {event["attempt"].recipient: event["attempt"] for event in logged("attempt")}
    seen = {name: (e.outcome, e.status, e.reply, e.host, e.attempt) for name, e in told.items()}
    assert seen == {
        "ok@b.test": ("delivered", "2.0.0", "250 ok", "mx.b.test", 1),
        "later@b.test": ("deferred", "4.2.0", "450 later", "mx.b.test", 1),
        "never@b.test": ("failed", "5.1.1", "550 no", "mx.b.test", 1),
    }
    assert {e.sender for e in told.values()} == {"ann@example.test"}
    line = str(told["never@b.test"])
    assert line in [formatEvent(event) for event in logged("attempt")]
    assert "recipient=<never@b.test> host=mx.b.test try=1" in line
    assert "outcome=failed status=5.1.1 reply='550 no'" in line
    (report,) = logged("report_id")
    assert report["queue_id"] == told["never@b.test"].queue_id
    assert (report["report_id"], report["sender"], report["count"]) == ("report-1", "ann@example.test", 1)


def refused(store, *positions):
    """Lets `settle` refuse reports with placements; gives the calls."""
    settle, calls = store.settle, []

    def refusing(now, settled, follow_ups=()):
        calls.append((len(settled), [len(t.placements) for t in follow_ups]))
        if any(len(t.placements) > min(positions) for t in follow_ups):
            return defer.fail(Refused({at: (EnhancedStatus(5, 1, 1), "no such user") for at in positions}))
        return settle(now, settled, follow_ups)

    store.settle = refusing
    return calls


def test_what_another_runner_took_over_is_told_by_that_one_alone(world, logged):
    settle = world.store.settle
    world.put("taken@b.test", "never@b.test")
    world.put("taken@c.test", "ok@c.test")

    def too_late(*args):
        world.store.settle = settle
        now = world.clock.seconds()
        world.now(world.store.release_leases("one"))
        for item in world.items():
            owner = "two" if item.recipient.local_part == "taken" else "one"
            world.now(world.store.lease(owner, now, now + 300, 1, ()))
        return settle(*args)

    world.store.settle = too_late
    world.runner(ScriptedDelivery(lambda item: OK if item.recipient.local_part == "ok" else NEVER))
    world.run(1)
    (report,) = world.reports()
    assert b"never@b.test" in report
    assert b"taken@" not in report
    assert [(str(item.recipient), item.lease_owner) for item in world.items()] == [
        ("taken@b.test", "two"),
        ("taken@c.test", "two"),
    ]
    assert [event["count"] for event in logged("count") if "leases ended" in event["log_format"]] == [2]


def test_a_sender_who_moved_before_the_report_was_committed_is_found_again(world):
    refused(world.store, 0)
    waiting = iter([world.resolved, Recipient(Address.parse("ann@example.test"), (), (Address.parse("a@away.test"),))])
    world.resolve = lambda address: defer.succeed(next(waiting))
    world.put("never@b.test")
    world.runner(ScriptedDelivery(lambda item: NEVER if item.recipient.domain == "b.test" else LATER))
    world.run(1)
    (report,) = world.items()
    assert str(report.recipient) == "a@away.test"
    assert report.sender is None


def test_a_report_reaches_those_places_that_are_still_there(world):
    ann = "ann@example.test"
    world.resolved = Recipient(Address.parse(ann), (Target(ann), Target("gone@example.test")))
    calls = refused(world.store, 1)
    world.put("never@b.test")
    world.runner(ScriptedDelivery(NEVER))
    world.run(1)
    assert calls == [(1, [2]), (1, [2]), (1, [1])]
    assert len(world.reports()) == 1
    assert not world.items()


def test_a_report_with_nowhere_to_go_is_given_up_with_a_word_in_the_log(world, logged):
    calls = refused(world.store, 0)
    world.put("never@b.test")
    world.runner(ScriptedDelivery(NEVER))
    world.run(1)
    assert [follow_ups for _, follow_ups in calls] == [[1], [1], []]
    assert not world.items()
    assert any("nowhere" in event["log_format"] for event in logged("report_id"))


def test_an_outcome_that_can_never_be_recorded_does_not_hold_up_the_others(world, logged_failures):
    settle = world.store.settle
    tries = []

    def settling(now, settled, follow_ups=()):
        if any(isinstance(s.outcome, Failed) for s in settled):
            tries.append(now)
            return defer.fail(RuntimeError("odd"))
        return settle(now, settled, follow_ups)

    world.store.settle = settling
    world.put("never@b.test", "ok@b.test")
    runner = world.runner(ScriptedDelivery(lambda item: NEVER if item.recipient.local_part == "never" else OK))
    world.run(1)
    assert [item.recipient.local_part for item in world.items()] == ["never"]
    world.put("later@b.test")
    world.run(1)
    assert [item.recipient.local_part for item in world.items()] == ["never"]
    world.run(600)
    assert 5 < len(tries) < 15
    world.store.settle = settle
    world.run(61)
    assert not world.items()
    world.now(runner.stop())
    assert not world.clock.getDelayedCalls()
    logged_failures.clear()


def test_a_destination_gets_room_as_it_answers_and_loses_it_when_it_cannot_be_reached(world):
    delivery = ScriptedDelivery(None)
    world.put(*(f"u{number}@{'live' if number % 2 else 'dead'}.test" for number in range(40)))
    for number in range(40):
        world.put(f"v{number}@live.test")
        world.put(f"v{number}@dead.test")
    world.runner(delivery, messages_per_destination=10)
    assert delivery.most == {"live.test": 2, "dead.test": 2}
    unreachable = Deferred(EnhancedStatus(4, 4, 1), "no connection")
    for _ in range(20):
        position = [items[0].recipient.domain for _, items in delivery.under_way].index("live.test")
        delivery.end_one(OK, position)
        position = [items[0].recipient.domain for _, items in delivery.under_way].index("dead.test")
        delivery.end_one(unreachable, position)
        world.run(0.1)
    assert delivery.most == {"live.test": 10, "dead.test": 2}
    domains = [items[0].recipient.domain for _, items in delivery.under_way]
    for position in range(len(domains) - 1, -1, -1):
        if domains[position] == "live.test":
            delivery.end_one(unreachable, position)
    assert [items[0].recipient.domain for _, items in delivery.under_way].count("live.test") == 2
