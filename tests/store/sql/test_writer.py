from __future__ import annotations

import time

import apsw
import pytest
from twisted.internet.defer import DeferredList, gatherResults

from twisted_mail_node.mail.errors import MailError, Refused, TemporaryFailure, Unavailable
from twisted_mail_node.mail.flags import FlagChange
from twisted_mail_node.mail.uid_set import UIDSet
from twisted_mail_node.store.sql.batch import BatchLimits
from twisted_mail_node.testing.samples import DATE, body, flags, message, outgoing, place, transaction

ANN = "ann@example.test"


def deliveries(store, count):
    return [store.deliver(transaction(place(ANN))) for _ in range(count)]


def test_deliveries_of_one_turn_share_a_commit(store, inbox, wait):
    before = store.commits
    outcomes = wait(gatherResults(deliveries(store, 50)))
    assert store.commits == before + 1
    assert [outcome.placed[0].uid for outcome in outcomes] == list(range(1, 51))


def test_changes_of_all_kinds_share_a_commit(store, inbox, wait):
    wait(gatherResults(deliveries(store, 3)))
    before = store.commits
    wait(
        gatherResults(
            [
                *deliveries(store, 3),
                inbox.append([(body(), flags(), DATE)]),
                inbox.store_flags(UIDSet.span(1, 1), FlagChange.ADD, flags("\\Seen")),
                inbox.copy(UIDSet.span(1, 2), "Archive"),
                store.set_alias("bob@example.test", []),
            ]
        )
    )
    assert store.commits == before + 1


def test_what_arrives_during_a_commit_goes_into_the_next(store, inbox, wait):
    before = store.commits
    first = store.deliver(transaction(place(ANN)))
    more = []
    first.addCallback(lambda _: more.extend(deliveries(store, 10)))
    wait(first)
    wait(gatherResults(more))
    assert store.commits == before + 2


def test_a_refused_delivery_fails_alone(store, inbox, wait):
    good, bad = deliveries(store, 3), store.deliver(transaction(place("nobody@example.test")))
    more = deliveries(store, 3)
    before = store.commits
    with pytest.raises(Refused):
        wait(bad)
    assert len(wait(gatherResults(good + more))) == 6
    assert store.commits == before + 1
    assert wait(inbox.status()).messages == 6


def test_an_id_seen_twice_in_one_batch_is_delivered_once(store, inbox, wait):
    same = transaction(place(ANN))
    first, other, second = wait(gatherResults([store.deliver(same), *deliveries(store, 1), store.deliver(same)]))
    assert first == second != other
    assert wait(inbox.status()).messages == 2


def test_an_operation_that_breaks_in_the_middle_leaves_nothing_and_fails_alone(store, inbox, wait):
    def half_done(state):
        mailbox = state.mailbox(1, 1)
        mailbox.uid_next += 100
        state.change(mailbox)
        state.run("DELETE FROM mailbox")
        raise RuntimeError("in the middle")

    good = deliveries(store, 1)
    broken = store._write(half_done)
    last = inbox.append([(body(), flags(), DATE)])
    with pytest.raises(RuntimeError):
        wait(broken)
    wait(gatherResults(good))
    assert wait(last).target_uids == [2]
    assert wait(inbox.status()).messages == 2


def test_a_commit_that_fails_fails_the_whole_batch_and_the_next_succeeds(store, inbox, wait):
    def refuse_commit(connection):
        connection.set_commit_hook(lambda: True)

    def permit_commit(connection):
        connection.set_commit_hook(None)

    writer = store._machinery.writer
    told = []
    store.watch(ANN, told.append)
    writer.between_commits(refuse_commit)
    results = wait(DeferredList([*deliveries(store, 3), inbox.append([(body(), flags(), DATE)])], consumeErrors=True))
    assert [(success, type(failure.value)) for success, failure in results] == [(False, TemporaryFailure)] * 4
    assert told == []
    writer.between_commits(permit_commit)
    assert wait(gatherResults(deliveries(store, 1)))[0].placed[0].uid == 1
    assert wait(inbox.status()).messages == 1


def test_a_file_that_others_lock_is_a_temporary_failure_and_ends_with_it(store, inbox, wait, path):
    store._machinery.writer.between_commits(lambda connection: connection.set_busy_timeout(0))
    other = apsw.Connection(str(path))
    other.execute("BEGIN IMMEDIATE")
    results = wait(DeferredList([*deliveries(store, 2), inbox.claim_recent()], consumeErrors=True))
    assert [(success, type(failure.value)) for success, failure in results] == [(False, TemporaryFailure)] * 3
    other.execute("ROLLBACK")
    other.close()
    wait(gatherResults(deliveries(store, 1)))
    assert wait(inbox.status()).messages == 1


def test_a_full_disk_is_a_temporary_failure_and_ends_with_it(store, inbox, wait):
    writer = store._machinery.writer
    content = message("x" * 60_000)
    writer.between_commits(lambda connection: connection.pragma("max_page_count", 60))
    results = wait(
        DeferredList(
            [store.deliver(transaction(place(ANN), bodies=(body(content),))) for _ in range(10)], consumeErrors=True
        )
    )
    failures = [failure.value for success, failure in results if not success]
    assert failures
    assert {str(failure.status) for failure in failures} == {"4.3.1"}
    assert wait(inbox.status()).messages == 10 - len(failures)
    writer.between_commits(lambda connection: connection.pragma("max_page_count", 1_000_000))
    wait(store.deliver(transaction(place(ANN), bodies=(body(content),))))
    assert wait(inbox.status()).messages == 11 - len(failures)


def test_a_batch_is_bounded_in_deliveries(open_store, wait):
    store = open_store(limits=BatchLimits(deliveries=10))
    wait(store.create_account(ANN))
    before = store.commits
    wait(gatherResults(deliveries(store, 35)))
    assert store.commits == before + 4


def test_a_batch_is_bounded_in_octets(open_store, wait):
    store = open_store(limits=BatchLimits(octets=100_000))
    wait(store.create_account(ANN))
    before = store.commits
    big = (body(message("x" * 50_000)),)
    wait(gatherResults([store.deliver(transaction(place(ANN), bodies=big)) for _ in range(8)]))
    assert store.commits == before + 4


def test_a_batch_is_bounded_in_operations_and_deliveries_go_first(open_store, wait):
    store = open_store(limits=BatchLimits(operations=5, seconds=60.0))
    wait(store.create_account(ANN))
    inbox = wait(wait(store.account(ANN)).mailbox("INBOX"))
    order = []
    slow = [inbox.append([(body(), flags(), DATE)]).addCallback(lambda _: order.append("append")) for _ in range(12)]
    quick = [delivery.addCallback(lambda _: order.append("deliver")) for delivery in deliveries(store, 2)]
    before = store.commits
    wait(gatherResults(slow + quick))
    assert store.commits == before + 3
    assert order[:2] == ["deliver", "deliver"]


def test_a_batch_is_bounded_in_time(open_store, wait):
    store = open_store(limits=BatchLimits(seconds=0.002))
    wait(store.create_account(ANN))

    def work(state):
        until = time.monotonic() + 0.003
        while time.monotonic() < until:
            state.run("SELECT 1")

    before = store.commits
    wait(gatherResults([store._write(work) for _ in range(5)]))
    assert store.commits == before + 5


def test_deliveries_without_end_do_not_starve_other_work(open_store, wait):
    store = open_store(limits=BatchLimits(deliveries=5, seconds=0.0))
    wait(store.create_account(ANN))
    order = []
    quick = [delivery.addCallback(lambda _: order.append("deliver")) for delivery in deliveries(store, 50)]
    slow = [store._write(lambda state: None).addCallback(lambda _: order.append("other")) for _ in range(2)]
    wait(gatherResults(quick + slow))
    assert [position for position, what in enumerate(order) if what == "other"] == [5, 11]


def test_idle_work_waits_until_nothing_else_does(store, inbox, wait):
    order = []
    idle = store._machinery.writer.submit(lambda state: None, idle=True).addCallback(lambda _: order.append("idle"))
    others = [delivery.addCallback(lambda _: order.append("deliver")) for delivery in deliveries(store, 3)]
    wait(gatherResults([idle, *others]))
    assert order == ["deliver"] * 3 + ["idle"]


def test_a_batch_is_told_once_an_account_after_its_deferreds(store, inbox, wait):
    told = []
    store.watch(ANN, told.append)
    queue = []
    store.watch_queue(lambda: queue.append(len(told)))
    all_of_them = [
        *deliveries(store, 5),
        store.deliver(transaction(outgoing("bob@elsewhere.test"), outgoing("eve@elsewhere.test"))),
    ]
    all_of_them[0].addCallback(lambda _: told.append("fired"))
    wait(gatherResults(all_of_them))
    wait(inbox.status())
    assert told[0] == "fired"
    assert len(told) == 2
    assert told[1].mailbox_ids == {inbox.mailbox_id}
    assert queue == [2]


def test_a_listener_that_breaks_is_logged_and_others_are_told(store, inbox, wait, logged_failures):
    told = []

    def broken(_):
        raise RuntimeError("listener")

    store.watch(ANN, broken)
    store.watch(ANN, told.append)
    wait(gatherResults(deliveries(store, 1)))
    wait(inbox.status())
    assert len(told) == 1
    assert [failure.type for failure in logged_failures] == [RuntimeError]
    logged_failures.clear()


def test_stopping_finishes_what_was_begun_and_refuses_what_comes_later(open_store, wait):
    store = open_store()
    wait(store.create_account(ANN))
    begun = deliveries(store, 20)
    stopped = store.stop()
    late = store.deliver(transaction(place(ANN)))
    with pytest.raises(Unavailable):
        wait(late)
    wait(stopped)
    assert all(isinstance(wait(delivery).placed[0].uid, int) for delivery in begun)
    again = open_store()
    inbox = wait(wait(again.account(ANN)).mailbox("INBOX"))
    assert wait(inbox.status()).messages == 20


def test_a_cancelled_delivery_that_has_begun_is_finished(store, inbox, wait):
    delivery = store.deliver(transaction(place(ANN)))
    delivery.addErrback(lambda _: None)
    delivery.cancel()
    wait(gatherResults(deliveries(store, 1)))
    assert wait(inbox.status()).messages == 2


def test_a_rolled_back_batch_gives_no_number_twice(store, inbox, wait):
    writer = store._machinery.writer
    first = wait(store.deliver(transaction(outgoing("bob@elsewhere.test")))).item_ids
    writer.between_commits(lambda connection: connection.set_commit_hook(lambda: True))
    with pytest.raises(MailError):
        wait(store.deliver(transaction(outgoing("bob@elsewhere.test"))))
    writer.between_commits(lambda connection: connection.set_commit_hook(None))
    assert wait(store.deliver(transaction(outgoing("bob@elsewhere.test")))).item_ids > first
