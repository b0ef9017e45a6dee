"""What is no message, or lies elsewhere, is neither opened nor waited for, whoever put it into a Maildir."""

from __future__ import annotations

import os

import pytest

from twisted_mail_node.mail.errors import Unavailable
from twisted_mail_node.mail.flags import FlagChange, Flags
from twisted_mail_node.mail.uid_set import UIDSet
from twisted_mail_node.store.maildir.opening import MAX_LINE_OCTETS, lines_of, opened
from twisted_mail_node.store.sql.maildir import syncing
from twisted_mail_node.testing.samples import place, transaction

from .conftest import ANN

SECRET = b"Subject: another's\n\nsecret\n"


@pytest.fixture
def elsewhere(tmp_path):
    path = tmp_path / "elsewhere"
    path.write_bytes(SECRET)
    return path


def test_links_pipes_and_folders_are_no_messages(wait, inbox, others, elsewhere):
    (others.folder / "new" / "1.link.host").symlink_to(elsewhere)
    # With a size in its name it need not be read to be taken in.
    (others.folder / "cur" / "2.link.host,S=27,W=30:2,").symlink_to(elsewhere)
    os.mkfifo(others.folder / "new" / "3.pipe.host")
    os.mkfifo(others.folder / "cur" / "4.pipe.host,W=10:2,S")
    (others.folder / "cur" / "5.folder.host,W=100000:2,").mkdir()
    others.deliver()
    assert wait(inbox.status()).messages == 1


@pytest.mark.parametrize("what", ["link", "pipe"])
def test_a_message_whose_file_became_something_else_cannot_be_read(wait, inbox, others, elsewhere, what):
    path = others.deliver()
    assert wait(inbox.status()).messages == 1
    path.unlink()
    if what == "link":
        path.symlink_to(elsewhere)
    else:
        os.mkfifo(path)
    with pytest.raises(Unavailable):
        wait(inbox.open_body(1))


def test_a_folder_that_is_a_link_is_no_mailbox(wait, store, others, tmp_path):
    strange = tmp_path / "strange"
    for part in ("cur", "new"):
        (strange / part).mkdir(parents=True)
    (strange / "new" / "1.a.host").write_bytes(SECRET)
    (others.folder / ".Linked").symlink_to(strange)
    (others.folder / ".Within").mkdir()
    for part in ("cur", "new"):
        (others.folder / ".Within" / part).symlink_to(strange / part)
    names = [box.name for box in wait(wait(store.account(ANN)).mailboxes())]
    assert "Linked" not in names
    assert "Within" not in names


@pytest.mark.parametrize("name", ["dovecot-uidlist", "dovecot-keywords", "subscriptions"])
def test_a_pipe_in_place_of_a_file_of_dovecot_holds_nobody_up(wait, store, inbox, others, name):
    os.mkfifo(others.folder / name)
    others.deliver(name="1.a.host:2,a", part="cur")
    assert wait(inbox.status()).messages == 1
    wait(inbox.store_flags(UIDSet.span(1, 1), FlagChange.ADD, Flags.from_names(["work"])))
    wait(wait(store.account(ANN)).mailboxes())
    wait(store.deliver(transaction(place(ANN))))
    assert wait(inbox.status()).messages == 2


def test_an_overlong_line_is_passed_over_in_pieces(tmp_path):
    path = tmp_path / "list"
    path.write_bytes(b"one\n" + b"x" * (3 * MAX_LINE_OCTETS) + b"\ntwo\nlast")
    with opened(os.fsencode(path)) as file:
        lines = list(lines_of(file, 10 * MAX_LINE_OCTETS))
    assert lines == [b"one\n", b"two\n", b"last"]


def test_a_file_is_read_as_far_as_is_allowed(tmp_path):
    path = tmp_path / "list"
    path.write_bytes(b"a\n" * 100)
    with opened(os.fsencode(path)) as file:
        assert list(lines_of(file, 7)) == [b"a\n"] * 4


def test_subscriptions_are_read_line_by_line(tmp_path):
    (tmp_path / "subscriptions").write_bytes(b"V\t2\n\nLists\tone\n" + b"x" * (2 * MAX_LINE_OCTETS) + b"\nWork\n")
    assert syncing._subscribed(os.fsencode(tmp_path)) == {"Lists/one", "Work"}


@pytest.mark.parametrize("told", [3, 5_000_000_000_000])
def test_a_size_in_a_name_that_cannot_be_is_not_believed(wait, inbox, others, told):
    others.deliver(b"Subject: x\n\nhello\n", name=f"1.a.host,W={told}")
    assert wait(inbox.status()).size == len(b"Subject: x\r\n\r\nhello\r\n")


def test_a_file_of_the_name_that_flags_would_give_is_not_replaced(wait, inbox, others):
    others.deliver(b"Subject: ours\n\nours\n", name="9.a.host:2,", part="cur")
    assert wait(inbox.status()).messages == 1
    # Under the same base, as a copy of the folder brings it that was laid over this one.
    others.deliver(b"Subject: another\n\nanother\n", name="9.a.host:2,S", part="cur")
    wait(inbox.store_flags(UIDSet.span(1, 1), FlagChange.ADD, Flags.from_names(["\\Seen"])))
    contents = {(others.folder / name).read_bytes() for name in others.names()}
    assert contents == {b"Subject: ours\n\nours\n", b"Subject: another\n\nanother\n"}
