from __future__ import annotations

import os

import pytest

from twisted_mail_node.mail.flags import Flags
from twisted_mail_node.moving.formats.eml import EmlFolders, date_of
from twisted_mail_node.moving.source import CannotRead, Original, Unreadable


@pytest.mark.parametrize(
    ("header", "date"),
    [
        (b"Date: Tue, 14 Nov 2023 23:13:20 +0100\n\n", (1_700_000_000, 60)),
        (b"Subject: x\r\nDate: Tue, 14 Nov 2023 22:13:20 GMT (really)\r\n\r\n", (1_700_000_000, 0)),
        (
            b"Received: from a by b;\n\tTue, 14 Nov 2023 16:43:20 -0530\n"
            b"Received: from c; Mon, 1 Jan 2001 00:00:00 +0000\n"
            b"Date: Mon, 1 Jan 2001 00:00:00 +0000\n\n",
            (1_700_000_000, -330),
        ),
        (b"Received: nothing\nDate: Tue, 14 Nov 2023 22:13:20 +0000\n\n", (1_700_000_000, 0)),
        (b"Date: yesterday\n\n", None),
        (b"Date: Tue, 99 Nov 99999 22:13:20 +0000\n\n", None),
        (b"Date: Tue, 14 Nov 2023 22:13:20 +9959\n\n", None),
        (b"Date: Tue, 14 Nov 1900 22:13:20 +0000\n\n", None),
        (b"Subject: x\n\nDate: Tue, 14 Nov 2023 22:13:20 +0000\n", None),
        (b"\xff\xfe", None),
    ],
)
def test_the_date_is_that_of_the_header(header, date):
    assert date_of(header) == date


def test_every_folder_is_a_mailbox(tmp_path):
    (tmp_path / "Work" / "Old").mkdir(parents=True)
    (tmp_path / "empty").mkdir()
    for name in ("b.eml", "a.EML", "notes.txt", "Work/Old/c.eml"):
        (tmp_path / name).write_bytes(b"Subject: x\r\n\r\n")
        os.utime(tmp_path / name, (5, 5))
    first, second = EmlFolders(tmp_path, Flags.from_names(["\\Seen"])).mailboxes()
    assert (first.levels, first.amount, second.levels) == ([], 2, ["Work", "Old"])
    found = list(first.messages(set()))
    assert [os.path.basename(message.name) for message in found] == ["a.EML", "b.eml"]
    assert found[0].internal_date == (5, 0)
    assert found[0].flags == Flags.from_names(["\\Seen"])
    assert b"".join(found[0].pieces()) == b"Subject: x\r\n\r\n"
    assert len(list(first.messages({found[0].guid}))) == 2


def test_what_cannot_be_read_is_told(tmp_path):
    (tmp_path / "a.eml").symlink_to(tmp_path / "nowhere")
    os.mkfifo(tmp_path / "b.eml")
    (tmp_path / "c.eml").write_bytes(b"x")
    (mailbox,) = EmlFolders(tmp_path).mailboxes()
    assert [type(found) for found in mailbox.messages(set())] == [Unreadable, Unreadable, Original]
    with pytest.raises(CannotRead, match="no folder"):
        list(EmlFolders(tmp_path / "c.eml").mailboxes())
