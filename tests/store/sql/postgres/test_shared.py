from __future__ import annotations

import psycopg
import pytest
from twisted.internet.defer import Deferred, DeferredList, gatherResults

from twisted_mail_node.mail.changes import ChangeKind
from twisted_mail_node.mail.errors import InUse
from twisted_mail_node.mail.flags import FlagChange
from twisted_mail_node.mail.uid_set import UIDSet
from twisted_mail_node.store.sql.postgres import shared
from twisted_mail_node.store.sql.postgres.connection import PostgresConnection
from twisted_mail_node.testing.samples import DATE, body, flags, outgoing, place, transaction

from .conftest import ANN

pytestmark = pytest.mark.postgres


def mailbox_of(store, wait, account=ANN, name="INBOX"):
    return wait(wait(store.account(account)).mailbox(name))


def told(store, account=ANN):
    """The notices of an account, and how to wait for the next."""
    notices = []
    store.watch(account, notices.append)

    def next_one(wait):
        if not notices:
            heard = Deferred()
            watch = store.watch(account, lambda _: heard.called or heard.callback(None))
            wait(heard)
            watch.cancel()
        return notices.pop(0)

    return next_one


def test_a_change_is_told_at_the_other_node(store, other, inbox, wait):
    next_one = told(other)
    wait(store.deliver(transaction(place(ANN))))
    notice = next_one(wait)
    assert (notice.account, notice.mailbox_ids, notice.kinds) == (ANN, {inbox.mailbox_id}, ChangeKind.MESSAGES)
    assert wait(mailbox_of(other, wait).changes(notice.modseq - 1)).appended.uids.tolist() == [1]


def test_a_node_is_told_of_its_own_changes_once(store, other, inbox, wait):
    notices = []
    store.watch(ANN, notices.append)
    heard = told(other)
    for _ in range(3):
        wait(inbox.append([(body(), flags(), DATE)]))
        heard(wait)
    # What the server sends to both has reached one of them; a last change of the other comes behind it.
    wait(mailbox_of(other, wait).append([(body(), flags(), DATE)]))
    told(store)(wait) if len(notices) < 4 else None
    assert [notice.modseq for notice in notices] == sorted({notice.modseq for notice in notices})
    assert len(notices) == 4


def test_changes_in_very_many_mailboxes_are_told_without_their_names(store, other, inbox, wait, monkeypatch):
    monkeypatch.setattr(shared, "TOLD_MAILBOXES", 1)
    next_one = told(other)
    wait(store.deliver(transaction(place(ANN), place(ANN, "Archive"))))
    assert next_one(wait).mailbox_ids == {inbox.mailbox_id, mailbox_of(store, wait, name="Archive").mailbox_id}


def test_a_batch_that_changes_many_accounts_is_told_in_several_notifications(store, other, wait, monkeypatch):
    monkeypatch.setattr(shared, "PAYLOAD_OCTETS", 200)
    names = [f"user{number}@example.test" for number in range(20)]
    wait(gatherResults([store.create_account(name) for name in names]))
    listeners = [told(other, name) for name in names]
    wait(store.deliver(transaction(*map(place, names))))
    for name, next_one in zip(names, listeners, strict=True):
        assert next_one(wait).account == name


def test_users_changed_at_one_node_are_known_at_the_other(store, other, wait):
    before = other.version
    wait(store.add_user(ANN, "hash"))
    wait(until(lambda: other.version > before, other))
    assert wait(other.password_hash(ANN)) == "hash"


def test_the_queue_grows_for_the_other_node_too(store, other, wait):
    grew = Deferred()
    other.watch_queue(lambda: grew.called or grew.callback(None))
    wait(store.deliver(transaction(outgoing("bob@elsewhere.test"))))
    wait(grew)


def test_the_other_node_hears_of_the_queue_though_a_commit_failed_first(store, other, wait, monkeypatch):
    grew, original, failed = Deferred(), PostgresConnection.commit, []
    other.watch_queue(lambda: grew.called or grew.callback(None))

    def commit(connection):
        if not failed:
            failed.append(connection)
            raise psycopg.errors.DeadlockDetected("another was in the way")
        original(connection)

    async def deliver_with_a_failure():
        with monkeypatch.context() as patched:
            patched.setattr(PostgresConnection, "commit", commit)
            await store.deliver(transaction(outgoing("bob@elsewhere.test")))

    wait(Deferred.fromCoroutine(deliver_with_a_failure()))
    assert failed
    wait(grew)


def test_a_maildrop_held_at_one_node_is_in_use_at_the_other(store, other, wait):
    wait(store.acquire(ANN, "here", 60.0))
    with pytest.raises(InUse):
        wait(other.acquire(ANN, "there", 60.0))
    wait(store.release(ANN, "here"))
    wait(other.acquire(ANN, "there", 60.0))


def test_no_number_is_given_twice_by_nodes_that_share_a_database(store, other, inbox, wait, monkeypatch):
    monkeypatch.setattr(shared, "BLOCK", 7)
    monkeypatch.setattr(shared, "ENOUGH", 3)
    stores = (store, other)
    outcomes = wait(
        gatherResults(
            [stores[n % 2].deliver(transaction(place(ANN), outgoing("bob@elsewhere.test"))) for n in range(100)]
        )
    )
    items = [item for outcome in outcomes for item in outcome.item_ids]
    assert len(set(items)) == 100
    assert sorted(outcome.placed[0].uid for outcome in outcomes) == list(range(1, 101))
    assert len({item.body_id for item in wait(store.items())}) == 100


def test_nodes_that_change_the_same_accounts_the_other_way_round_get_past_each_other(store, other, wait):
    names = [f"user{number}@example.test" for number in range(6)]
    for name in names:
        wait(store.create_account(name, [("Archive", None)]))
    waiting = []
    for round in range(15):
        for node, order in ((store, names), (other, names[::-1])):
            waiting.append(node.deliver(transaction(*map(place, order))))
            for name in order:
                mailbox = mailbox_of(node, wait, name)
                waiting.append(mailbox.store_flags(UIDSet.span(1, 1000), FlagChange.ADD, flags(f"k{round}")))
                waiting.append(mailbox.copy(UIDSet.span(1, 2), "Archive"))
    wait(gatherResults(waiting))
    for name in names:
        status = wait(mailbox_of(store, wait, name).status())
        assert status.messages == status.unseen == 30
        assert list(wait(mailbox_of(store, wait, name).uids())) == list(range(1, 31))


def test_new_numbers_and_accounts_are_locked_in_one_order(store, other, inbox, wait, monkeypatch, server):
    """One node takes numbers for what it delivers, the other makes mailboxes: each has what the other wants."""
    monkeypatch.setattr(shared, "BLOCK", 5)
    monkeypatch.setattr(shared, "ENOUGH", 3)
    account = wait(other.account(ANN))
    before = server.cluster.log_tail(10**8).count("deadlock detected")
    for round in range(25):
        deliveries = [store.deliver(transaction(place(ANN))) for _ in range(2)]
        wait(gatherResults([*deliveries, account.create(f"x{round}")]))
    assert server.cluster.log_tail(10**8).count("deadlock detected") == before


def test_two_nodes_never_lease_the_same_item(store, other, wait):
    wait(gatherResults([store.deliver(transaction(outgoing(f"b{n}@elsewhere.test"))) for n in range(200)]))
    now = 1e10
    leased = wait(
        gatherResults(
            [
                node.lease(owner, now, now + 60, 10, frozenset())
                for _ in range(12)
                for node, owner in ((store, "a"), (other, "b"))
            ]
        )
    )
    items = [item.item_id for some in leased for item in some]
    assert len(items) == len(set(items)) == 200


@pytest.mark.parametrize("nul", ["ann\0@example.test", "\0"])
def test_a_name_with_nul_is_nobodys(store, inbox, wait, nul):
    assert wait(store.password_hash(nul)) is None


def until(condition, store):
    """Fires once the condition holds; it is looked at between turns of the reactor."""

    async def look():
        for _ in range(2000):
            if condition():
                return
            await store._reactor.turn()
        raise AssertionError("it never came to be")

    return Deferred.fromCoroutine(look())


def test_a_mailbox_that_takes_nothing_fails_alone(store, inbox, wait, server):
    """A counter that is behind its messages: each new one collides with one that is there."""
    bob = "bob@example.test"
    wait(store.create_account(bob))
    wait(store.deliver(transaction(place(ANN))))
    with server.connect() as connection:
        connection.execute("UPDATE mailbox SET uid_next = 1 WHERE messages > 0")
    deliveries = [store.deliver(transaction(place(name))) for name in (bob, ANN, bob)]
    deliveries.append(inbox.append([(body(), flags(), DATE)]))
    results = wait(DeferredList(deliveries, consumeErrors=True))
    assert [success for success, _ in results] == [True, False, True, False]
