from __future__ import annotations

import gc
import weakref

import pytest
from twisted.internet.task import Clock

from twisted_mail_node.mail.columns import FetchItem
from twisted_mail_node.mail.errors import TemporaryFailure
from twisted_mail_node.mail.flags import FlagChange
from twisted_mail_node.mail.uid_set import UIDSet
from twisted_mail_node.store.memory import MemoryStore
from twisted_mail_node.store.memory.content import StoredBody
from twisted_mail_node.testing.deferreds import result_of
from twisted_mail_node.testing.samples import body, flags, message, outgoing, place, transaction

ANN = "ann@example.test"


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def store(clock):
    store = MemoryStore(clock)
    result_of(store.start())
    result_of(store.create_account(ANN))
    return store


@pytest.mark.parametrize("part", [place(ANN, body=1), outgoing("bob@elsewhere.test", body=1)])
def test_a_transaction_that_names_a_body_it_has_not_leaves_nothing(store, part):
    with pytest.raises(IndexError):
        result_of(store.deliver(transaction(place(ANN), part)))
    assert result_of(result_of(result_of(store.account(ANN)).mailbox("INBOX")).status()).messages == 0
    assert result_of(store.items()) == []


def test_one_body_is_kept_once_for_all_places(store):
    result_of(store.create_account("bob@example.test"))
    wanted = transaction(place(ANN), place("bob@example.test"), bodies=(body(message("shared " * 5000)),))
    result_of(store.deliver(wanted))
    contents = [
        result_of(result_of(result_of(store.account(name)).mailbox("INBOX")).fetch(UIDSet.span(1, 1), FetchItem.BODY))
        for name in (ANN, "bob@example.test")
    ]
    assert contents[0].bodies[0] is contents[1].bodies[0]


def test_a_body_that_nothing_shows_any_more_is_let_go(store, clock, monkeypatch):
    class Watched(StoredBody):
        __slots__ = ("__weakref__",)

    monkeypatch.setattr("twisted_mail_node.store.memory.staging.StoredBody", Watched)
    result_of(store.deliver(transaction(place(ANN), outgoing("bob@elsewhere.test"))))
    inbox = result_of(result_of(store.account(ANN)).mailbox("INBOX"))
    kept = weakref.ref(inbox._contents.select(UIDSet.span(1, 1))[0].body)
    result_of(inbox.expunge(UIDSet.span(1, 1), only_deleted=False))
    result_of(store.drop([1]))
    gc.collect()
    assert kept() is not None, "still readable"
    clock.advance(3601)
    result_of(inbox.fetch(UIDSet.span(1, 1), FetchItem.NONE))
    gc.collect()
    assert kept() is None


def test_a_queued_body_is_gone_with_its_last_item(store):
    result_of(store.deliver(transaction(outgoing("a@x.test"), outgoing("b@x.test"))))
    assert len(store._queue._bodies) == 1
    result_of(store.drop([1]))
    assert len(store._queue._bodies) == 1
    result_of(store.drop([2]))
    assert len(store._queue._bodies) == 0


def test_a_staged_body_serves_one_commit(store):
    writer = store.stage_body()
    result_of(writer.write(message()))
    staged = result_of(writer.finish(len(message()) - 15, False))
    result_of(store.deliver(transaction(place(ANN), bodies=(staged,))))
    with pytest.raises(TemporaryFailure):
        result_of(store.deliver(transaction(place(ANN), bodies=(staged,))))


def test_what_changes_nothing_is_told_to_nobody(store, clock):
    account = result_of(store.account(ANN))
    result_of(store.deliver(transaction(place(ANN))))
    inbox = result_of(account.mailbox("INBOX"))
    told = []
    store.watch(ANN, told.append)
    everything = UIDSet.span(1, 9)
    result_of(inbox.store_flags(everything, FlagChange.REMOVE, flags("\\Seen")))
    result_of(inbox.expunge())
    result_of(inbox.append([]))
    result_of(inbox.move(UIDSet.of([7]), "INBOX"))
    result_of(inbox.claim_recent())
    result_of(account.subscribe("inbox", True))
    clock.advance(0)
    assert told == []
