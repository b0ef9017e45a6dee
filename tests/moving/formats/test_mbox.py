from __future__ import annotations

import pytest

from twisted_mail_node.mail.flags import Flags
from twisted_mail_node.moving.formats.mbox import Mbox
from twisted_mail_node.moving.source import CannotRead, Unreadable

FROM = b"From ann@a.test Tue Nov 14 22:13:20 2023\n"


def write(path, *messages):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"".join(FROM + message + b"\n" for message in messages))
    return path


def messages_of(path, known=frozenset()):
    (mailbox,) = Mbox(path).mailboxes()
    return list(mailbox.messages(known))[:-1]


def test_messages_are_read(tmp_path):
    large = b"Subject: 2\n\n" + b"line\n>From x\n" * 200_000
    path = write(tmp_path / "a.mbox", b"Subject: 1\nStatus: RO\n\n>From x\nFrom y\n", large)
    first, second = messages_of(path)
    assert b"".join(first.pieces()) == b"Subject: 1\n\nFrom x\nFrom y\n"
    assert b"".join(second.pieces()) == large.replace(b">From", b"From")
    assert (first.flags, first.internal_date) == (Flags.from_names(["\\Seen"]), (1_700_000_000, 0))
    assert (first.uid, first.line_feeds_only) == (None, False)


def test_amounts_are_octets_and_are_all_of_the_file(tmp_path):
    path = write(tmp_path / "a.mbox", b"Subject: 1\n\nx\n", b"Subject: 2\n\ny\n")
    (mailbox,) = Mbox(path).mailboxes()
    found = list(mailbox.messages(set()))
    assert sum(message.amount for message in found) == mailbox.amount == path.stat().st_size
    assert found[-1].count == 0


def test_what_is_known_is_not_opened_and_keeps_its_guid_while_more_comes(tmp_path):
    path = write(tmp_path / "a.mbox", b"Subject: same\n\n", b"Subject: same\n\n")
    before = [message.guid for message in messages_of(path)]
    write(path, b"Subject: same\n\n", b"Subject: same\n\n", b"Subject: same\n\n")
    after = [message.guid for message in messages_of(path)]
    assert after[:2] == before
    assert len(set(after)) == 3
    assert [type(found).__name__ for found in messages_of(path, set(before))] == ["Known", "Known", "Original"]


def test_uids_are_read_where_they_ascend(tmp_path):
    path = write(
        tmp_path / "a.mbox",
        b"X-IMAPbase: 77 20\nX-UID: 3\n\n",
        b"X-UID: 9\n\n",
        b"X-UID: 4\n\n",
        b"X-UID: 12\n\n",
    )
    (mailbox,) = Mbox(path).mailboxes()
    assert (mailbox.uid_validity, mailbox.uid_next) == (77, 21)
    assert [message.uid for message in list(mailbox.messages(set()))[:-1]] == [3, 9, None, 12]


def test_a_folder_of_files_is_mailboxes(tmp_path):
    for name in ("Inbox", "Sent.mbox", "Lists", "Lists.sbd/Twisted", "Apple.mbox/mbox", "Deep/Deeper.mbx"):
        write(tmp_path / name, b"Subject: x\n\n")
    (tmp_path / "Sent.msf").write_text("// an index\n")
    (tmp_path / ".hidden").write_bytes(FROM)
    (tmp_path / "empty").touch()
    levels = [mailbox.levels for mailbox in Mbox(tmp_path).mailboxes()]
    assert levels == [["Apple"], ["Deep", "Deeper"], [], ["Lists"], ["Lists", "Twisted"], ["Sent"]]


def test_a_file_that_begins_wrong_is_told(tmp_path):
    (tmp_path / "notes.txt").write_text("From here on\nnothing\n")
    write(tmp_path / "Sent", b"Subject: x\n\n")
    found = list(Mbox(tmp_path).mailboxes())
    assert [isinstance(mailbox, Unreadable) for mailbox in found] == [False, True]
    with pytest.raises(CannotRead, match="is no mbox"):
        list(Mbox(tmp_path / "notes.txt").mailboxes())
    with pytest.raises(CannotRead, match="can't be read"):
        list(Mbox(tmp_path / "nowhere").mailboxes())


def test_the_one_file_has_the_name_of_the_file_or_none(tmp_path):
    path = write(tmp_path / "Old mail.mbox", b"Subject: x\n\n")
    assert [mailbox.levels for mailbox in Mbox(path).mailboxes()] == [["Old mail"]]
    assert [mailbox.levels for mailbox in Mbox(path, is_inbox=True).mailboxes()] == [[]]
