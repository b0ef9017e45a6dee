"""A copy of the file while mail comes in: one moment of the store, and never in the way for long."""

from __future__ import annotations

import shutil
from collections import namedtuple

import pytest
from twisted.internet.defer import Deferred

from twisted_mail_node.mail.errors import Damaged, PermanentFailure, TemporaryFailure
from twisted_mail_node.store.sql import SQLiteStore
from twisted_mail_node.store.sql.sqlite import backup, checkpoints, opening
from twisted_mail_node.store.sql.sqlite.engine import SQLiteEngine
from twisted_mail_node.store.sql.sqlite.opening import Durability, open_untouched
from twisted_mail_node.store.sql.verification import Scope, verify
from twisted_mail_node.testing.samples import body, message, outgoing, place, transaction

from .schemas.content import content_of

ANN = "ann@example.test"
BODY = body(message("m" * 20_000))


@pytest.fixture
def target(tmp_path):
    return tmp_path / "copy.sqlite"


@pytest.fixture
def small_steps(monkeypatch):
    """So that a copy takes many gaps between commits."""
    monkeypatch.setattr(backup, "STEP_SECONDS", 0.0)
    monkeypatch.setattr(backup, "REST_SECONDS", 0.0)
    monkeypatch.setattr(backup, "PAGES_AT_ONCE", 32)
    monkeypatch.setattr(backup, "SYNC_PAGES", 64)
    monkeypatch.setattr(checkpoints, "CHECKPOINT_PAGES", 50)
    monkeypatch.setattr(checkpoints, "RESTART_PAGES", 100)


async def deliver(store, *names):
    for name in names:
        await store.deliver(transaction(place(ANN), outgoing("eve@far.test"), bodies=(BODY,), id=name))


def started(coroutine):
    return Deferred.fromCoroutine(coroutine)


def ids(path, reactor):
    store = SQLiteStore(path, reactor=reactor)
    reactor.wait_for(store.start())
    try:
        return [item.transaction_id for item in reactor.wait_for(store.items())]
    finally:
        reactor.wait_for(store.stop())


def test_a_copy_has_all_that_the_store_has(store, inbox, wait, reactor, target):
    wait(started(deliver(store, "one", "two")))
    told = []
    wait(store.back_up(target, lambda done, of: told.append((done, of))))
    assert told[-1][0] == told[-1][1] > 10
    before = wait(started(content_of(store)))
    copy = SQLiteStore(target, reactor=reactor)
    wait(copy.start())
    assert wait(started(content_of(copy))) == before
    wait(copy.stop())
    assert target.stat().st_mode & 0o777 == 0o600


@pytest.mark.usefixtures("small_steps")
def test_what_comes_while_the_copy_is_made_is_in_it_whole_and_without_a_new_beginning(
    store, inbox, wait, reactor, target
):
    wait(started(deliver(store, *(f"before-{number}" for number in range(60)))))
    done: list[int] = []
    under_way = store.back_up(target, lambda copied, pages: done.append(copied))
    number = 0
    while not under_way.called:
        wait(started(deliver(store, f"during-{number}")))
        number += 1
    wait(under_way)
    assert done == sorted(done), "it was begun anew"
    assert number > 3
    found = ids(target, reactor)
    assert found[:60] == [f"before-{number}" for number in range(60)]
    during = found[60:]
    # What was committed first is there, and nothing of what came after.
    assert during == [f"during-{number}" for number in range(len(during))]
    assert len(during) > 1
    copy = SQLiteEngine(target, Durability.OFF)
    assert list(verify(copy, Scope(), lambda *progress: None)) == []


def test_a_copy_stands_alone_and_its_pages_have_their_checksums(store, inbox, wait, target):
    wait(started(deliver(store, "one")))
    wait(store.back_up(target, lambda done, of: None))
    connection = open_untouched(target)
    assert connection.checks_pages
    assert connection.pragma("integrity_check") == "ok"
    connection.close()
    assert [path.name for path in target.parent.iterdir() if path.name.startswith(".")] == []


def test_the_copy_of_a_file_without_checksums_has_none(open_store, wait, target, monkeypatch, reactor):
    monkeypatch.setattr(opening, "checking_vfs", lambda: None)
    store = open_store()
    wait(store.create_account(ANN))
    wait(started(deliver(store, "one")))
    monkeypatch.undo()
    wait(store.back_up(target, lambda done, of: None))
    assert ids(target, reactor) == ["one"]
    assert not open_untouched(target).checks_pages


def test_a_file_that_is_there_is_not_replaced(store, wait, target):
    target.write_bytes(b"precious")
    with pytest.raises(PermanentFailure, match="is there already"):
        wait(store.back_up(target, lambda done, of: None))
    assert target.read_bytes() == b"precious"


def test_a_folder_that_is_not_there_is_told(store, wait, tmp_path):
    with pytest.raises(PermanentFailure, match="cannot write"):
        wait(store.back_up(tmp_path / "nowhere" / "copy.sqlite", lambda done, of: None))


def test_without_room_nothing_is_begun(store, wait, target, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage(0, 0, 1024))
    with pytest.raises(PermanentFailure, match=r"a backup needs 64 MiB in .*, where 0 MiB are free"):
        wait(store.back_up(target, lambda done, of: None))


def test_a_damaged_store_is_not_copied_and_goes_on(open_store, store, inbox, wait, path, target):
    wait(started(deliver(store, "one")))
    wait(store.stop())
    content = bytearray(path.read_bytes())
    content[content.index(b"m" * 4_000) + 2_000] ^= 1
    path.write_bytes(content)
    again = open_store()
    with pytest.raises(Damaged, match="`mailnode verify` says where"):
        wait(again.back_up(target, lambda done, of: None))
    assert list(target.parent.glob("*copy*")) == []
    wait(started(deliver(again, "two")))


def test_what_is_left_of_a_copy_that_was_killed_is_in_nobodys_way(store, wait, target):
    target.with_name(".copy.sqlite.part").write_bytes(b"half a copy")
    wait(store.back_up(target, lambda done, of: None))
    assert [path.name for path in target.parent.glob("*copy*")] == ["copy.sqlite"]


@pytest.mark.usefixtures("small_steps")
def test_a_store_that_stops_gives_the_copy_up_and_leaves_nothing_of_it(store, inbox, wait, target):
    wait(started(deliver(store, *(f"before-{number}" for number in range(60)))))
    begun: Deferred[None] = Deferred()
    under_way = store.back_up(target, lambda done, of: begun.called or begun.callback(None))
    wait(begun)
    wait(store.stop())
    with pytest.raises(TemporaryFailure, match="given up"):
        wait(under_way)
    assert not target.exists()
    assert not list(target.parent.glob(".copy*"))
