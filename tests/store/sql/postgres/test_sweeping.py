"""Sweeping where other nodes write meanwhile."""

from __future__ import annotations

import psycopg
import pytest

from twisted_mail_node.mail.queue_item import Delivered, Settled
from twisted_mail_node.store.sql import queue, sweep
from twisted_mail_node.testing.samples import outgoing, transaction

pytestmark = pytest.mark.postgres

BOB, EVE = "bob@elsewhere.test", "eve@elsewhere.test"


@pytest.fixture
def counts(server):
    def count(*tables):
        with server.connect() as connection:
            return [connection.execute(f"SELECT count(*) FROM {table}").fetchall()[0][0] for table in tables]

    return count


@pytest.fixture
def states(store, reactor, open_store):
    """The writers' states of two nodes, each with a transaction begun."""
    engine = store._machinery.engine
    opened = [engine.open_writer(reactor.seconds, ()) for _ in range(2)]
    for state in opened:
        state.connection.begin()
    yield opened
    for state in opened:
        state.connection.close()


def settled(item):
    return Settled(item.item_id, "me", Delivered("2.0.0 ok", "mx.elsewhere.test"))


@pytest.mark.parametrize("sweep_looks_first", [True, False])
def test_a_body_that_loses_its_last_user_while_it_is_looked_at_is_swept_later(
    store, wait, counts, states, sweep_looks_first
):
    wait(store.deliver(transaction(outgoing(BOB), outgoing(EVE))))
    one, other = wait(store.lease("me", 1e10, 1e10 + 60, 10, frozenset()))
    wait(store.settle(1e10, [settled(one)]))
    assert counts("orphan", "body") == [1, 1]
    sweeping, settling = states

    def settle(state):
        queue.settle(state, 1e10, [settled(other)], ())
        state.connection.check()

    if sweep_looks_first:
        assert sweep.sweep_slice(sweeping, 1e10, 0.0, frozenset())
        settling.connection.run("SET LOCAL lock_timeout = '100ms'")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            settle(settling)
        settling.connection.rollback()
        settling.connection.begin()
        sweeping.connection.commit()
        settle(settling)
        settling.connection.commit()
    else:
        settle(settling)
        sweep.sweep_slice(sweeping, 1e10, 0.0, frozenset())
        sweeping.connection.commit()
        settling.connection.commit()
    sweeping.connection.begin()
    while sweep.sweep_slice(sweeping, 1e10, 0.0, frozenset()):
        pass
    sweeping.connection.commit()
    assert counts("queue", "orphan", "body") == [0, 0, 0]


def test_one_node_sweeps_until_its_connection_ends(states):
    one, other = states
    assert [one.connection.may_sweep(), other.connection.may_sweep()] == [True, False]
    for state in states:
        state.connection.commit()
        state.connection.begin()
    assert [other.connection.may_sweep(), one.connection.may_sweep()] == [False, True]
    one.connection.close()
    while not other.connection.may_sweep():
        pass


def test_the_node_that_does_not_sweep_looks_through_nothing(states):
    one, other = states
    assert one.connection.may_sweep()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(other.connection, "every", None)
        patched.setattr(other, "run", None)
        assert sweep.sweep_old_ids(other, "", 0) is None
        assert sweep.shorten_next_history(other, (0, 0), 0, 0) is None
