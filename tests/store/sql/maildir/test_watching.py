"""What other programs do is told to who watches the account, without anybody asking."""

from __future__ import annotations

import shutil

import pytest

from twisted_mail_node.mail.changes import ChangeKind
from twisted_mail_node.mail.columns import FetchItem
from twisted_mail_node.mail.flags import FlagChange, Flags
from twisted_mail_node.mail.uid_set import UIDSet
from twisted_mail_node.store.maildir import inotify
from twisted_mail_node.store.maildir.listing import Stamps
from twisted_mail_node.store.sql.maildir import watching
from twisted_mail_node.testing.samples import place, transaction

from .conftest import ANN, Others


class Told:
    """A listener, and a way to wait for what it is told."""

    def __init__(self, store, reactor):
        self.notices = []
        self._reactor = reactor
        self.watch = store.watch(ANN, self.notices.append)

    def after(self, seconds=watching.MOMENT_SECONDS):
        """The next notice; time passes for the store meanwhile."""
        count = len(self.notices)
        for _ in range(2000):
            self._reactor.wait_for(self._reactor.turn())
            self._reactor.advance(seconds)
            if len(self.notices) > count:
                return self.notices[-1]
        raise AssertionError("nothing was told")


@pytest.fixture
def told(store, reactor, wait):
    told = Told(store, reactor)
    for _ in range(10):
        wait(reactor.turn())
    yield told
    told.watch.cancel()


def test_a_file_that_comes_changes_and_goes_is_told(wait, told, inbox, others):
    others.deliver(name="1.a")
    notice = told.after()
    assert (notice.account, notice.mailbox_ids) == (ANN, frozenset({inbox.mailbox_id}))
    others.reflag("S")
    notice = told.after()
    columns = wait(inbox.fetch(UIDSet.span(1, 1), FetchItem.FLAGS | FetchItem.MODSEQ))
    assert (columns.flags[0].wire, columns.modseqs[0]) == (b"\\Seen", notice.modseq)
    others.remove()
    assert list(wait(inbox.changes(told.after().modseq - 1)).vanished) == [1]


def test_a_folder_that_others_make_is_told_and_watched(wait, told, account, root):
    made = Others(root / ANN / ".Made")
    made.make()
    assert told.after().kinds & ChangeKind.MAILBOXES
    made.deliver()
    while not told.after().kinds & ChangeKind.MESSAGES:
        pass
    assert wait(wait(account.mailbox("Made")).status()).messages == 1
    shutil.rmtree(made.folder)
    while not told.after().kinds & ChangeKind.MAILBOXES:
        pass
    assert [info.name for info in wait(account.mailboxes())] == ["INBOX", "Archive"]


def test_a_mailbox_made_here_is_watched_too(wait, told, account, root):
    wait(account.create("Made"))
    for _ in range(20):
        wait(told._reactor.turn())
        told._reactor.advance(watching.MOMENT_SECONDS)
    count = len(told.notices)
    Others(root / ANN / ".Made").deliver()
    told.after()
    assert len(told.notices) == count + 1


def test_our_own_changes_make_nobody_look(wait, told, store, inbox, reactor, monkeypatch):
    looks = []
    monkeypatch.setattr(watching.Watching, "_look", lambda self: looks.append(self))
    wait(store.deliver(transaction(place(ANN))))
    wait(inbox.store_flags(UIDSet.span(1, 1), FlagChange.ADD, Flags.from_names(["\\Seen"])))
    wait(inbox.expunge(UIDSet.span(1, 1), only_deleted=False))
    for _ in range(50):
        wait(reactor.turn())
        reactor.advance(watching.MOMENT_SECONDS)
    assert looks == []


def test_without_inotify_folders_are_looked_at_from_time_to_time(wait, store, open_store, reactor, monkeypatch, others):
    def refuse(self, reactor, tell):
        raise inotify.Unsupported("none here")

    wait(store.stop())
    monkeypatch.setattr(inotify.Inotify, "__init__", refuse)
    store = open_store()
    told = Told(store, reactor)
    others.deliver()
    assert told.after(watching.POLL_SECONDS).kinds & ChangeKind.MESSAGES
    told.watch.cancel()


def test_nobody_is_told_after_the_last_watch_ends(wait, told, reactor, others):
    told.watch.cancel()
    others.deliver()
    for _ in range(20):
        wait(reactor.turn())
        reactor.advance(watching.MOMENT_SECONDS)
    assert told.notices == []


def test_a_folder_that_takes_long_to_list_is_left_alone_for_a_while(wait, told, reactor, others, monkeypatch):
    looks = []
    monkeypatch.setattr(Stamps, "rest_seconds", lambda self, folder: 10.0 if len(looks) < 2 else 0.0)
    look_at = watching.Watching._look
    monkeypatch.setattr(watching.Watching, "_look", lambda self: (looks.append(reactor.seconds()), look_at(self)))
    others.deliver()
    told.after()
    assert len(looks) >= 2
    assert looks[1] - looks[0] >= 9.9
