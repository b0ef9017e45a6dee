from __future__ import annotations

import os
import subprocess
import sys
import threading

import pytest

from twisted_mail_node.mail.address import Address
from twisted_mail_node.mail.columns import Columns, FetchItem
from twisted_mail_node.mail.errors import InUse, PermanentFailure
from twisted_mail_node.mail.flags import FlagChange
from twisted_mail_node.mail.uid_set import UIDSet
from twisted_mail_node.store.sql import SQLiteStore
from twisted_mail_node.testing.samples import DATE, body, flags, message, outgoing, place, transaction

ANN = "ann@example.test"


def test_everything_is_there_after_closing_and_opening_again(open_store, wait):
    store = open_store()
    wait(store.add_user(ANN, "hash", [("Sent", "\\Sent")]))
    wait(store.set_alias("@example.test", [Address.parse(ANN)]))
    sent = transaction(place(ANN, prefix=b"Return-Path: <>\r\n"), outgoing("bob@elsewhere.test"))
    committed = wait(store.deliver(sent))
    inbox = wait(wait(store.account(ANN)).mailbox("INBOX"))
    wait(inbox.store_flags(UIDSet.span(1, 1), FlagChange.ADD, flags("\\Seen", "$Work")))
    before = (
        wait(inbox.status()),
        wait(inbox.fetch(UIDSet.span(1, 9), FetchItem.BODY | FetchItem.FLAGS | FetchItem.GUID)),
    )
    wait(store.stop())

    again = open_store()
    inbox = wait(wait(again.account(ANN)).mailbox("INBOX"))
    assert before == (
        wait(inbox.status()),
        wait(inbox.fetch(UIDSet.span(1, 9), FetchItem.BODY | FetchItem.FLAGS | FetchItem.GUID)),
    )
    assert wait(again.password_hash(ANN)) == "hash"
    assert wait(again.alias("@example.test")) == (Address.parse(ANN),)
    assert [item.item_id for item in wait(again.items())] == list(committed.item_ids)
    assert wait(again.deliver(sent)) == committed
    assert wait(inbox.status()).messages == 1


def test_numbers_are_not_given_again_after_opening_again(open_store, wait):
    store = open_store()
    first = wait(store.deliver(transaction(outgoing("bob@elsewhere.test")))).item_ids
    wait(store.drop(first))
    wait(store.stop())
    assert wait(open_store().deliver(transaction(outgoing("bob@elsewhere.test")))).item_ids > first


def test_a_second_store_on_the_file_is_told_who_has_it(store, path, reactor, wait):
    with pytest.raises(
        PermanentFailure, match=rf"mail\.sqlite is in use by process {os.getpid()}; stop that one first"
    ):
        wait(SQLiteStore(path, reactor=reactor).start())


def test_a_second_process_on_the_file_is_told_who_has_it(store, path, package_environment):
    program = (
        "import sys\n"
        "from twisted_mail_node.store.sql import SQLiteStore\n"
        "from twisted_mail_node.testing.backend import SteeredReactor\n"
        "reactor = SteeredReactor()\n"
        "reactor.wait_for(SQLiteStore(sys.argv[1], reactor=reactor).start())\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program, str(path)], capture_output=True, text=True, timeout=60, env=package_environment
    )
    assert ended.returncode != 0
    assert f"is in use by process {os.getpid()}" in ended.stderr.splitlines()[-1]


def test_a_failed_start_leaves_no_thread_and_no_lock(path, reactor, wait):
    path.write_bytes(b"not a database, but long enough to be looked at" * 50)
    with pytest.raises(PermanentFailure):
        wait(SQLiteStore(path, reactor=reactor).start())
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("mail store")]
    path.unlink()
    store = SQLiteStore(path, reactor=reactor)
    wait(store.start())
    wait(store.stop())


def test_a_damaged_file_is_told_with_the_remedy(store, inbox, wait, path, reactor):
    wait(store.stop())
    content = path.read_bytes()
    path.write_bytes(content[:4096] + b"\xa5" * (len(content) - 4096))
    with pytest.raises(PermanentFailure, match=r"is damaged .*restore a backup"):
        wait(SQLiteStore(path, reactor=reactor).start())
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("mail store")]


def test_a_folder_that_is_not_there_is_named(tmp_path, reactor, wait):
    with pytest.raises(PermanentFailure, match="nowhere"):
        wait(SQLiteStore(tmp_path / "nowhere" / "mail.sqlite", reactor=reactor).start())


def test_a_store_that_was_stopped_can_be_started_again(store, wait):
    wait(store.create_account(ANN))
    wait(store.stop())
    wait(store.start())
    assert wait(store.accounts()) == [ANN]


def test_a_maildrop_lock_does_not_outlive_the_store(open_store, wait):
    store = open_store()
    wait(store.acquire(ANN, "one", 600.0))
    with pytest.raises(InUse):
        wait(store.acquire(ANN, "two", 600.0))
    wait(store.stop())
    wait(open_store().acquire(ANN, "two", 600.0))


def test_kept_forms_are_written_and_read(store, inbox, wait):
    wait(inbox.append([(body(message("one")), flags(), DATE), (body(message("two")), flags(), DATE)]))
    inbox.keep_forms(Columns([1, 2, 99], envelopes=[b"(e1)", b"(\xff\x00)", b"(e99)"]))
    inbox.keep_forms(Columns([2], body_structures=[b"(s2)"]))
    wait(store._machinery.writer.submit(lambda state: None, idle=True))
    columns = wait(inbox.fetch(UIDSet.span(1, 2), FetchItem.ENVELOPE | FetchItem.BODY_STRUCTURE))
    assert columns.envelopes == [b"(e1)", b"(\xff\x00)"]
    assert columns.body_structures == [None, b"(s2)"]


def test_a_checkpoint_moves_the_log_into_the_file(store, inbox, path, wait, reactor):
    wait(inbox.append([(body(message("x" * 100_000)), flags(), DATE)]))
    before = path.stat().st_size
    reactor.advance(61.0)
    turns = 0
    while path.stat().st_size <= before and turns < 2000:
        wait(reactor.turn())
        turns += 1
    assert path.stat().st_size > before
