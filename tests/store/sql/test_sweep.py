from __future__ import annotations

import apsw
import pytest

from twisted_mail_node.mail.columns import FetchItem
from twisted_mail_node.mail.queue_item import Delivered, Settled
from twisted_mail_node.mail.uid_set import UIDSet
from twisted_mail_node.store.sql import sweep
from twisted_mail_node.store.sql.sqlite import connection as sqlite_connection
from twisted_mail_node.testing.samples import DATE, body, flags, message, outgoing, place, transaction

ANN = "ann@example.test"
LARGE = message("x" * 400_000)


@pytest.fixture
def counts(path):
    """How many rows a table has, seen from outside of the store."""
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)

    def count(*tables):
        return [connection.execute(f"SELECT count(*) FROM {table}").fetchall()[0][0] for table in tables]

    yield count
    connection.close()


@pytest.fixture
def hours(store, reactor, wait):
    """Lets hours pass and one round of sweeping come to its end."""

    def pass_by(number):
        reactor.advance(number * 3600.0)
        for _ in range(1000):
            wait(reactor.turn())
            if store._machinery.sweep.at_rest:
                return
        raise AssertionError("the sweep did not end")

    return pass_by


def stage(store, wait, content=LARGE):
    writer = store.stage_body()
    wait(writer.write(content))
    return wait(writer.finish(50, False))


def test_expunged_messages_are_swept_after_an_hour_and_their_bodies_with_them(store, inbox, wait, counts, hours):
    wait(inbox.append([(body(), flags("\\Deleted"), DATE), (body(), flags(), DATE)]))
    wait(inbox.append([(stage(store, wait), flags("\\Deleted"), DATE)]))
    wait(inbox.expunge())
    hours(0.9)
    assert counts("entry", "expunged", "email", "body") == [1, 2, 3, 3]
    assert list(wait(inbox.fetch(UIDSet.span(1, 3), FetchItem.FLAGS)).uids) == [1, 2, 3]
    hours(0.2)
    assert counts("entry", "expunged", "email", "body", "chunk", "orphan") == [1, 0, 1, 1, 0, 0]
    assert list(wait(inbox.fetch(UIDSet.span(1, 3), FetchItem.FLAGS)).uids) == [2]
    assert wait(inbox.changes(1)).exists


def test_a_body_that_another_mailbox_shows_stays(store, inbox, wait, counts, hours):
    wait(inbox.append([(body(message("keep me")), flags("\\Deleted"), DATE)]))
    wait(inbox.copy(UIDSet.span(1, 1), "Archive"))
    wait(inbox.expunge())
    hours(1.1)
    assert counts("entry", "expunged", "email", "body") == [1, 0, 1, 1]
    archive = wait(wait(store.account(ANN)).mailbox("Archive"))
    assert wait(archive.fetch(UIDSet.span(1, 1), FetchItem.BODY)).bodies == [message("keep me")]


def test_a_body_that_the_queue_needs_stays_until_it_is_settled(store, inbox, wait, counts, hours, reactor):
    committed = wait(store.deliver(transaction(place(ANN), outgoing("bob@elsewhere.test"))))
    wait(inbox.expunge(UIDSet.span(1, 1), only_deleted=False))
    hours(1.1)
    assert counts("email", "body", "queue") == [0, 1, 1]
    wait(store.lease("me", reactor.seconds(), reactor.seconds() + 60, 10, frozenset()))
    wait(store.settle(reactor.seconds(), [Settled(committed.item_ids[0], "me", Delivered("250 ok", "mx"))]))
    hours(0.1)
    assert counts("body", "queue", "orphan") == [0, 0, 0]


def test_a_body_that_is_open_stays_readable(store, inbox, wait, counts, hours):
    wait(inbox.append([(stage(store, wait), flags("\\Deleted"), DATE)]))
    opened = wait(inbox.open_body(1))
    wait(inbox.expunge())
    hours(1.5)
    assert wait(opened.read(300_000, 200)) == LARGE[300_000:300_200]
    opened.close()
    hours(0.1)
    assert counts("body", "chunk", "orphan") == [0, 0, 0]


def test_a_body_that_one_has_closed_twice_stays_readable_for_the_other(store, inbox, wait, hours):
    wait(inbox.append([(stage(store, wait), flags("\\Deleted"), DATE)]))
    one, other = wait(inbox.open_body(1)), wait(inbox.open_body(1))
    wait(inbox.expunge())
    one.close()
    one.close()
    hours(3)
    assert wait(other.read(0, other.size)) == LARGE
    other.close()


def test_staged_bodies_that_no_transaction_took_are_swept(store, inbox, wait, counts, hours):
    stage(store, wait)
    half = store.stage_body()
    wait(half.write(LARGE))
    used = stage(store, wait)
    wait(inbox.append([(used, flags(), DATE)]))
    hours(1.1)
    # The half of a body that is still being received stays.
    assert counts("staged", "body") == [1, 1]
    half.abort()
    hours(0.1)
    assert counts("staged", "orphan") == [0, 0]
    assert counts("chunk") == [4]


@pytest.mark.parametrize("whole_account", [False, True])
def test_what_a_removed_mailbox_or_account_held_is_swept_in_slices(
    store, inbox, wait, counts, hours, monkeypatch, whole_account
):
    monkeypatch.setattr(sweep, "SLICE_ROWS", 3)
    account = wait(store.account(ANN))
    archive = wait(account.mailbox("Archive"))
    wait(archive.append([(body(), flags(), DATE) for _ in range(10)]))
    wait(archive.expunge(UIDSet.span(2, 5), only_deleted=False))
    wait(store.create_account("bob@example.test"))
    wait(store.deliver(transaction(place("bob@example.test"))))
    if whole_account:
        wait(store.remove_account(ANN))
    else:
        wait(account.delete("Archive"))
    hours(0.1)
    assert counts("entry", "expunged", "email", "body", "vanished", "removed") == [1, 0, 1, 1, 0, 0]


def test_ids_of_old_transactions_are_forgotten(store, inbox, wait, counts, hours, monkeypatch):
    monkeypatch.setattr(sweep, "SLICE_ROWS", 3)
    for _ in range(10):
        wait(store.deliver(transaction(place(ANN))))
    hours(24)
    young = wait(store.deliver(transaction(place(ANN))))
    assert counts("committed") == [11]
    hours(3 * 24 + 1)
    assert counts("committed") == [1]
    assert young.placed[0].uid == 11


def test_the_history_of_expunges_is_bounded_and_leaves_nothing_out(store, inbox, wait, counts, hours, monkeypatch):
    monkeypatch.setattr(sweep, "HISTORY_ROWS", 5)
    monkeypatch.setattr(sweep, "SLICE_ROWS", 7)
    known = {wait(inbox.status()).highest_modseq: UIDSet()}
    for _ in range(30):
        wait(inbox.append([(body(), flags(), DATE), (body(), flags(), DATE)]))
        known[wait(inbox.status()).highest_modseq] = wait(inbox.uids())
        wait(inbox.expunge(UIDSet.of([wait(inbox.uids()).largest]), only_deleted=False))
        known[wait(inbox.status()).highest_modseq] = wait(inbox.uids())
    others = wait(wait(store.account(ANN)).mailbox("Archive"))
    wait(inbox.copy(UIDSet.span(1, 4), "Archive"))
    wait(others.expunge(UIDSet.of([1, 3]), only_deleted=False))
    assert counts("vanished") == [30 + 1]
    hours(7)
    assert counts("vanished") == [8 + 1]
    left, given = wait(inbox.uids()), UIDSet.span(1, 60)
    for since, had in known.items():
        changes = wait(inbox.changes(since))
        assert had - changes.vanished | UIDSet.of(changes.appended.uids) == left
        assert not changes.vanished - given
    newest = sorted(known)[-4]
    assert wait(inbox.changes(newest)).vanished == known[newest] - left
    hours(7)
    assert counts("vanished") == [8 + 1]


def test_the_history_of_expunges_is_kept_for_its_time(store, inbox, wait, counts, hours):
    """RFC 7162 §5.3"""
    wait(inbox.append([(body(), flags(), DATE)] * 12))
    begin = wait(inbox.status()).highest_modseq
    moments = []
    for number in (2, 6, 4, 9):
        wait(inbox.expunge(UIDSet.of([number]), only_deleted=False))
        moments.append(wait(inbox.status()).highest_modseq)
        hours(31 * 24)
    assert counts("vanished") == [4 - 2 + 1]
    # the first two are one run now, with what was between them; what lives there is not told
    assert wait(inbox.changes(begin)).vanished == UIDSet.of([2, 4, 6, 9])
    assert wait(inbox.changes(moments[0])).vanished == UIDSet.of([2, 4, 6, 9])
    assert wait(inbox.changes(moments[1])).vanished == UIDSet.of([4, 9])
    hours(200 * 24)
    assert counts("vanished") == [1]
    assert wait(inbox.changes(moments[2])).vanished == UIDSet.of([2, 4, 6, 9])
    assert wait(inbox.changes(moments[3])).vanished == UIDSet()


def test_the_history_of_an_earlier_version_counts_from_when_it_is_found(store, inbox, wait, counts, hours):
    wait(inbox.append([(body(), flags(), DATE)] * 5))
    begin = wait(inbox.status()).highest_modseq
    for number in (2, 4):
        wait(inbox.expunge(UIDSet.of([number]), only_deleted=False))
    wait(store._machinery.writer.submit(lambda state: state.run("UPDATE vanished SET at = NULL")))
    hours(7)
    assert counts("vanished") == [2]
    hours(91 * 24)
    assert counts("vanished") == [1]
    assert wait(inbox.changes(begin)).vanished == UIDSet.of([2, 4])


def test_free_pages_are_given_back(store, inbox, wait, path, hours, monkeypatch):
    monkeypatch.setattr(sqlite_connection, "VACUUM_PAGES", 16)
    wait(inbox.append([(body(message("x" * 200_000)), flags("\\Deleted"), DATE) for _ in range(20)]))
    wait(inbox.expunge())
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    before = connection.pragma("page_count")
    hours(1.1)
    assert connection.pragma("page_count") < before / 2
    connection.close()
