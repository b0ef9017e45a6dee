"""
The process ends between any two steps: what was committed is there once, what was not leaves nothing, others see no
message that was expunged.

A step that never comes is a store whose files are not touched any more from that step on, while its index goes on.
"""

from __future__ import annotations

import errno
from contextlib import contextmanager

import pytest

from twisted_mail_node.mail.columns import FetchItem
from twisted_mail_node.mail.errors import Refused, TemporaryFailure
from twisted_mail_node.mail.flags import FlagChange, Flags
from twisted_mail_node.mail.uid_set import UIDSet
from twisted_mail_node.store.maildir.tree import Tree, abandoned
from twisted_mail_node.store.sql.maildir import steps, writing
from twisted_mail_node.testing.samples import body, message, outgoing, place, transaction

from .conftest import ANN, Others

ALL = UIDSet.span(1, 100)


@pytest.fixture
def killed(monkeypatch):
    """From now on no step after a commit is done, as if the process had ended before it."""

    def kill():
        for step in (steps.Arrive, steps.Retail, steps.Leave, steps.Unlink, steps.MakeFolder, steps.MoveFolder):
            monkeypatch.setattr(step, "do", lambda self, doing: None)
        monkeypatch.setattr(steps.DropFolder, "do", lambda self, doing: None)

    return kill


@pytest.fixture
def reopen(store, open_store, wait, monkeypatch):
    """End the process and start another."""

    def again():
        wait(store.stop())
        monkeypatch.undo()
        return open_store()

    return again


def staged(root):
    """The messages that are staged."""
    return [path for path in (root / ".mailnode" / "stage").glob("*/*")]


def test_a_committed_message_is_brought_into_its_folder_by_the_next_start(
    wait, store, inbox, others, root, killed, reopen
):
    killed()
    wait(store.deliver(transaction(place(ANN), place(ANN, "Archive"))))
    assert (others.names(), len(staged(root))) == ([], 2)
    assert wait(inbox.fetch(ALL, FetchItem.BODY)).bodies == [message()]
    opened = wait(inbox.open_body(1))
    assert wait(opened.read(0, 10_000)) == message()
    store = reopen()
    assert staged(root) == []
    assert len(others.names()) == 1
    inbox = wait(wait(store.account(ANN)).mailbox("INBOX"))
    assert wait(inbox.status()).messages == 1
    assert wait(inbox.fetch(ALL, FetchItem.BODY)).bodies == [message()]


def test_a_message_that_was_written_and_not_committed_leaves_nothing(wait, store, others, root, reopen):
    stage = root / ".mailnode" / "stage" / "0123456789abcdef"
    stage.mkdir()
    (stage / "1_1700000000.M1P1R1Q1.host,S=5,W=5").write_bytes(b"hello")
    store = reopen()
    assert not stage.exists()
    assert others.names() == []
    assert wait(wait(wait(store.account(ANN)).mailbox("INBOX")).status()).messages == 0


def test_the_stage_of_a_process_that_lives_is_left_alone(store, root):
    (stage,) = (path for path in (root / ".mailnode" / "stage").iterdir() if path.is_dir())
    path = stage / "1_1700000000.M1P1R1Q1.host,S=5,W=5"
    path.write_bytes(b"hello")
    assert list(abandoned(Tree(root))) == []
    assert path.exists()
    path.unlink()


def test_a_commit_that_fails_leaves_no_file(wait, store, others, root):
    with pytest.raises(Refused):
        wait(store.deliver(transaction(place(ANN), place("nobody@example.test"))))
    assert staged(root) == []
    assert others.names() == []


def test_a_disk_that_is_full_refuses_the_message_and_leaves_no_file(wait, store, inbox, others, root, monkeypatch):
    def full(descriptor, content):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(writing, "_write", full)
    for count in (1, 3):
        with pytest.raises(TemporaryFailure, match="full"):
            wait(store.deliver(transaction(*[place(ANN)] * count)))
    monkeypatch.undo()
    assert staged(root) == []
    assert wait(inbox.status()).messages == 0
    wait(store.deliver(transaction(place(ANN))))
    assert wait(inbox.status()).messages == 1


def test_an_expunge_whose_file_was_left_is_finished_by_the_next_look(wait, store, inbox, others, killed, reopen):
    wait(store.deliver(transaction(place(ANN))))
    killed()
    wait(inbox.expunge(UIDSet.span(1, 1), only_deleted=False))
    assert len(others.names()) == 1
    store = reopen()
    inbox = wait(wait(store.account(ANN)).mailbox("INBOX"))
    assert wait(inbox.status()).messages == 0
    assert others.names() == []
    assert wait(inbox.fetch(ALL, FetchItem.BODY)).bodies == [message()]


def test_a_change_of_flags_whose_file_was_left_is_finished_by_the_next_look(wait, store, inbox, others, killed, reopen):
    wait(store.deliver(transaction(place(ANN))))
    killed()
    wait(inbox.store_flags(ALL, FlagChange.ADD, Flags.from_names(["\\Seen"])))
    store = reopen()
    inbox = wait(wait(store.account(ANN)).mailbox("INBOX"))
    assert wait(inbox.status()).unseen == 0
    (name,) = others.names()
    assert name.endswith(":2,S")


def test_a_move_whose_files_were_left_is_finished(wait, store, inbox, others, archive_of_others, root, killed, reopen):
    wait(store.deliver(transaction(place(ANN))))
    killed()
    wait(inbox.move(UIDSet.span(1, 1), "Archive"))
    store = reopen()
    account = wait(store.account(ANN))
    assert wait(wait(account.mailbox("INBOX")).status()).messages == 0
    archive = wait(account.mailbox("Archive"))
    assert wait(archive.status()).messages == 1
    assert wait(archive.fetch(ALL, FetchItem.BODY)).bodies == [message()]
    assert (others.names(), len(archive_of_others.names())) == ([], 1)


def test_mailboxes_whose_folders_were_left_keep_their_messages_and_uids(wait, store, account, root, killed, reopen):
    wait(account.create("Old/Sub"))
    wait(store.deliver(transaction(place(ANN, "Old/Sub"))))
    status = wait(wait(account.mailbox("Old/Sub")).status())
    killed()
    wait(account.create("Made"))
    wait(account.rename("Old", "New"))
    wait(account.delete("Archive"))
    assert wait(wait(account.mailbox("New/Sub")).fetch(ALL, FetchItem.BODY)).bodies == [message()]
    store = reopen()
    account = wait(store.account(ANN))
    assert [info.name for info in wait(account.mailboxes())] == ["INBOX", "Made", "New", "New/Sub"]
    moved = wait(wait(account.mailbox("New/Sub")).status())
    assert (moved.uid_validity, moved.messages, moved.mailbox_id) == (status.uid_validity, 1, status.mailbox_id)
    folders = {path.name for path in (root / ANN).iterdir() if path.name.startswith(".")}
    assert folders == {".Made", ".New", ".New.Sub"}


def test_an_account_whose_folder_was_left_is_removed_by_the_next_start(wait, store, root, killed, reopen):
    wait(store.deliver(transaction(place(ANN))))
    killed()
    wait(store.remove_account(ANN))
    assert (root / ANN).exists()
    store = reopen()
    assert not (root / ANN).exists()
    wait(store.create_account(ANN))
    assert wait(wait(wait(store.account(ANN)).mailbox("INBOX")).status()).messages == 0
    assert Others(root / ANN).names() == []


def test_what_the_queue_has_as_well_goes_from_the_database_when_it_is_sent(wait, store, inbox, others):
    content = message("x" * 1000)
    wait(store.deliver(transaction(place(ANN), outgoing("bob@elsewhere.test"), bodies=(body(content),))))
    (item,) = wait(store.items())
    opened = wait(store.open_queued(item.body_id))
    assert wait(opened.read(0, 10_000)) == content
    assert wait(inbox.fetch(ALL, FetchItem.BODY)).bodies == [content]


def test_an_expunged_file_that_nobody_looked_at_is_taken_away_by_the_sweep(
    wait, reactor, store, inbox, others, killed, reopen
):
    wait(store.deliver(transaction(place(ANN))))
    killed()
    wait(inbox.expunge(UIDSet.span(1, 1), only_deleted=False))
    reopen()
    others.reflag("F")
    reactor.advance(3700)
    for _ in range(100):
        wait(reactor.turn())
        if not others.names():
            return
    raise AssertionError("it was never taken away")


def test_a_mailbox_is_not_moved_over_a_folder_that_others_made(wait, store, account, root):
    wait(account.create("Old"))
    wait(store.deliver(transaction(place(ANN, "Old"))))
    made = Others(root / ANN / ".New")
    made.make()
    wait(account.rename("Old", "New"))
    renamed = wait(account.mailbox("New"))
    assert wait(renamed.status()).messages == 1
    assert wait(renamed.fetch(ALL, FetchItem.BODY)).bodies == [message()]
    assert len(Others(root / ANN / ".Old").names()) == 1
    wait(store.deliver(transaction(place(ANN, "New"))))
    assert wait(renamed.status()).messages == 2
    assert "New" in [info.name for info in wait(account.mailboxes())]


def test_a_message_is_copied_though_others_renamed_it_or_files_cannot_be_linked(
    wait, store, inbox, others, archive_of_others, monkeypatch
):
    wait(store.deliver(transaction(place(ANN))))
    others.reflag("S")
    wait(inbox.copy(ALL, "Archive"))
    assert len(archive_of_others.names()) == 1

    def refuse(source, target, *, follow_symlinks):
        raise OSError(errno.EMLINK, "Too many links")

    monkeypatch.setattr(writing.os, "link", refuse)
    wait(inbox.copy(ALL, "Archive"))
    monkeypatch.undo()
    assert [(archive_of_others.folder / name).read_bytes() for name in archive_of_others.names()] == [message()] * 2


@pytest.fixture
def not_dropped(monkeypatch):
    """Folders that are to go do not: another node was to take them away and ended, or the disk refused it."""

    @contextmanager
    def failing():
        with monkeypatch.context() as patch:
            patch.setattr(steps.DropFolder, "do", _refuse)
            yield

    return failing


def _refuse(self, doing):
    raise OSError(errno.EBUSY, "Device or resource busy")


@pytest.mark.parametrize("again", [False, True])
@pytest.mark.parametrize("name", ["Archive", "INBOX"])
def test_what_is_made_anew_keeps_its_mail_though_what_was_there_before_could_not_be_taken_away(
    wait, store, root, open_store, not_dropped, name, again
):
    def make_anew():
        if name == "INBOX":
            wait(store.create_account(ANN))
        else:
            wait(wait(store.account(ANN)).create(name))
        wait(store.deliver(transaction(place(ANN, name))))

    wait(store.deliver(transaction(place(ANN, name))))
    with not_dropped():
        if name == "INBOX":
            wait(store.remove_account(ANN))
        else:
            wait(wait(store.account(ANN)).delete(name))
        if again:
            make_anew()
    if not again:
        make_anew()
    wait(store.stop())
    store = open_store()
    mailbox = wait(wait(store.account(ANN)).mailbox(name))
    # What could not be taken away at all comes into the new one, as any file there does.
    assert wait(mailbox.status()).messages == 1 + again
    assert set(wait(mailbox.fetch(ALL, FetchItem.BODY)).bodies) >= {message()}
