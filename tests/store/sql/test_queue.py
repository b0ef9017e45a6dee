from __future__ import annotations

from twisted.internet.defer import gatherResults

from twisted_mail_node.store.sql import queue
from twisted_mail_node.testing.samples import outgoing, transaction

NOBODY = frozenset()


def enqueue(store, wait, *recipients):
    """One message each, due one second after the other. Returns the items' ids."""
    committed = [
        store.deliver(transaction(outgoing(recipient), now=100.0 + position))
        for position, recipient in enumerate(recipients)
    ]
    return [outcome.item_ids[0] for outcome in wait(gatherResults(committed))]


def lease(store, wait, limit, busy=NOBODY, now=1000.0):
    return [item.item_id for item in wait(store.lease("me", now, now + 60.0, limit, busy))]


def test_busy_domains_in_front_do_not_hide_the_others(store, wait, monkeypatch):
    monkeypatch.setattr(queue, "LOOK_AHEAD", 3)
    slow = [f"a{number}@slow.test" for number in range(20)]
    made = enqueue(store, wait, *slow, "b@quick.test", "c@other.test", "d@quick.test", "e@late.test")
    assert lease(store, wait, 3, frozenset({"slow.test"})) == made[20:23]
    assert lease(store, wait, 3, frozenset({"slow.test"})) == made[23:]
    assert lease(store, wait, 3, frozenset({"slow.test"})) == []
    assert lease(store, wait, 2) == made[:2]


def test_what_is_not_due_yet_is_passed_over_behind_busy_domains(store, wait, monkeypatch):
    monkeypatch.setattr(queue, "LOOK_AHEAD", 1)
    made = enqueue(store, wait, "a@slow.test", "b@slow.test", "c@slow.test", "d@quick.test", "e@quick.test")
    assert lease(store, wait, 5, frozenset({"slow.test"}), now=103.5) == [made[3]]


def test_items_of_one_time_are_leased_in_the_order_of_their_ids(store, wait):
    message = transaction(*(outgoing(f"a{number}@x.test") for number in range(5)), now=50.0)
    made = wait(store.deliver(message)).item_ids
    assert lease(store, wait, 3) == list(made[:3])
    assert lease(store, wait, 3) == list(made[3:])


def test_what_is_gone_when_the_writer_comes_to_it_is_not_leased(store, wait):
    made = enqueue(store, wait, "a@x.test", "b@x.test")
    found = wait(store._read(lambda connection: queue.find_due(connection, 1000.0, 10, NOBODY)))
    wait(store.drop(made[:1]))
    leased = wait(store._write(queue.leasing("me", 1000.0, 1060.0, found)))
    assert [item.item_id for item in leased] == made[1:]
    assert wait(store._write(queue.leasing("another", 1000.0, 1060.0, found))) == []


def test_all_of_a_long_queue_is_made_due_in_several_commits(store, wait, monkeypatch):
    monkeypatch.setattr(queue, "RETRY_SLICE", 3)
    made = enqueue(store, wait, *(f"a{number}@x.test" for number in range(8)))
    before = store.commits
    assert wait(store.retry(None, 50.0)) == 8
    assert store.commits == before + 3
    assert lease(store, wait, 10, now=50.0) == made


def test_the_domains_behind_a_busy_one_are_asked_in_the_order_of_their_first_items(store, wait, monkeypatch):
    monkeypatch.setattr(queue, "LOOK_AHEAD", 1)
    domains = ["slow", "slow", "slow", "slow", "d", "a", "c", "b", "d"]
    made = enqueue(store, wait, *(f"u@{domain}.test" for domain in domains))
    assert lease(store, wait, 2, frozenset({"slow.test"})) == made[4:6]
    assert lease(store, wait, 9, frozenset({"slow.test"}), now=107.0) == made[6:8]
