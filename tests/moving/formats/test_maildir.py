from __future__ import annotations

import os

import pytest

from twisted_mail_node.mail.flags import Flags
from twisted_mail_node.moving.formats.maildir import Maildir
from twisted_mail_node.moving.source import CannotRead, Original, Unreadable


@pytest.fixture
def folder(tmp_path):
    """An empty Maildir."""
    return make(tmp_path / "Maildir")


def make(folder):
    for part in ("cur", "new", "tmp"):
        (folder / part).mkdir(parents=True)
    return folder


def put(folder, name, content=b"Subject: x\n\nbody\n", part="cur", at=1_600_000_000):
    path = os.path.join(os.fsencode(folder), part.encode(), name if isinstance(name, bytes) else name.encode())
    with open(path, "wb") as file:
        file.write(content)
    os.utime(path, (at, at))
    return path


def by_level(source):
    return {tuple(mailbox.levels): mailbox for mailbox in source.mailboxes()}


def test_messages_come_by_uid_and_those_without_one_last(folder):
    put(folder, "1.M1.host:2,S")
    put(folder, "2.M2.host", part="new")
    put(folder, "3.M3.host:2,RFab", at=1_500_000_000)
    put(folder, "0.M0.host:2,")
    (folder / "dovecot-uidlist").write_text("3 V77 N100 Gx\n50 :3.M3.host\n51 :1.M1.host:2,\n60 :gone.host\n")
    (folder / "dovecot-keywords").write_text("0 work\n1 $Label1\n")
    (inbox,) = Maildir(folder).mailboxes()
    assert (inbox.uid_validity, inbox.uid_next, inbox.amount) == (77, 100, 4)
    found = list(inbox.messages(set()))
    assert [message.uid for message in found] == [50, 51, None, None]
    assert [message.name.rsplit("/", 1)[1] for message in found][2:] == ["0.M0.host:2,", "2.M2.host"]
    assert found[0].flags == Flags.from_names(["\\Answered", "\\Flagged", "work", "$Label1"])
    assert found[0].internal_date == (1_500_000_000, 0)
    assert b"".join(found[0].pieces()) == b"Subject: x\n\nbody\n"
    assert len({message.guid for message in found}) == 4


def test_a_guid_stays_while_flags_change_and_the_maildir_moves(folder, tmp_path):
    path = put(folder, "1.M1.host", part="new")
    (before,) = next(iter(Maildir(folder).mailboxes())).messages(set())
    os.rename(path, os.path.join(os.fsencode(folder), b"cur/1.M1.host:2,S"))
    folder.rename(tmp_path / "moved")
    (mailbox,) = Maildir(tmp_path / "moved").mailboxes()
    (after,) = mailbox.messages(set())
    assert after.guid == before.guid
    assert [type(found).__name__ for found in mailbox.messages({before.guid})] == ["Known"]


def test_folders_are_mailboxes_in_both_layouts(folder):
    for name in (".Sent", ".Lists.Twisted", "Archive/2024", ".Entw&APw-rfe"):
        put(make(folder / name), "1.M1.host:2,")
    (folder / ".Sent").joinpath("subfolder").mkdir()
    (folder / ".nothing").mkdir()
    (folder / "plain").mkdir()
    found = by_level(Maildir(folder))
    assert set(found) == {(), ("Sent",), ("Lists", "Twisted"), ("Archive", "2024"), ("Entwürfe",)}
    assert all(mailbox.subscribed for mailbox in found.values())


def test_subscriptions_are_heeded(folder):
    make(folder / ".Sent")
    make(folder / ".Trash")
    (folder / "subscriptions").write_text("V\t2\n\nSent\n")
    assert {levels: box.subscribed for levels, box in by_level(Maildir(folder)).items()} == {
        (): True,
        ("Sent",): True,
        ("Trash",): False,
    }


def test_a_message_that_changes_its_name_meanwhile_is_found(folder):
    path = put(folder, "1.M1.host:2,")
    (inbox,) = Maildir(folder).mailboxes()
    os.rename(path, path + b"RS")
    (found,) = inbox.messages(set())
    assert found.flags == Flags.from_names(["\\Answered", "\\Seen"])
    assert b"".join(found.pieces())


def test_what_cannot_be_read_is_told_and_the_rest_comes(folder):
    put(folder, "1.M1.host:2,")
    os.unlink(put(folder, "2.M2.host:2,"))
    os.mkfifo(folder / "cur" / "3.M3.host:2,")
    (folder / "cur" / "4.M4.host:2,").symlink_to(folder / "nowhere")
    (folder / "cur" / "5.folder").mkdir()
    put(folder, ".hidden")
    put(folder, b"6.\xff.host:2,S")
    (inbox,) = Maildir(folder).mailboxes()
    os.unlink(put(folder, "1.M1.host:2,"))
    found = list(inbox.messages(set()))
    assert [type(message) for message in found] == [Unreadable, Unreadable, Unreadable, Unreadable, Original]
    assert found[-1].flags == Flags.from_names(["\\Seen"])


def test_a_folder_that_cannot_be_listed_is_told(folder):
    bad = make(folder / ".Bad")
    (bad / "new").rmdir()
    (bad / "new").symlink_to(bad / "tmp")
    (bad / "tmp").rmdir()
    make(folder / ".Good")
    found = [mailbox.levels for mailbox in Maildir(folder).mailboxes() if not isinstance(mailbox, Unreadable)]
    assert found == [[], ["Good"]]


def test_what_is_no_maildir_is_told(tmp_path):
    with pytest.raises(CannotRead, match="no Maildir"):
        list(Maildir(tmp_path).mailboxes())
