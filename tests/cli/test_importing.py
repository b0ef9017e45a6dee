"""`mailnode import` on the store itself."""

from __future__ import annotations

import os

import pytest

MESSAGE = b"From: Ann <ann@far.test>\nSubject: hello\n\nbody\n"
JOE = "joe@a.test"


@pytest.fixture
def joe(mailnode):
    """`mailnode`, with one user."""
    mailnode("user", "add", JOE, "--generate")
    return mailnode


@pytest.fixture
def maildir(tmp_path):
    """A Maildir with UIDs, of three messages in two folders."""
    folder = tmp_path / "Maildir"
    for part in ("cur", "new", "tmp", ".Sent/cur", ".Sent/new"):
        (folder / part).mkdir(parents=True)
    (folder / "cur" / "1.M1.host:2,S").write_bytes(MESSAGE)
    (folder / "new" / "2.M2.host").write_bytes(MESSAGE)
    (folder / ".Sent" / "cur" / "3.M3.host:2,S").write_bytes(MESSAGE)
    (folder / "dovecot-uidlist").write_text("3 V77 N100 Gx\n50 :1.M1.host\n61 :2.M2.host\n")
    return folder


def test_a_maildir_is_imported_and_nothing_twice(joe, maildir):
    answer = joe.json("import", "maildir", JOE, str(maildir))
    assert (answer["account"], answer["imported"], answer["known"]) == (JOE, 3, 0)
    assert answer["octets"] == 3 * len(MESSAGE.replace(b"\n", b"\r\n"))
    assert answer["mailboxes"] == [
        {"name": "INBOX", "imported": 2, "known": 0, "keeps_uids": True},
        {"name": "Sent", "imported": 1, "known": 0, "keeps_uids": False},
    ]
    assert answer["left_out"] == answer["remarks"] == {"count": 0, "first": []}
    assert answer["broken_off"] is None
    said = joe("import", "maildir", JOE.upper(), str(maildir))
    assert said.startswith("0 messages imported in ")
    assert said.endswith("; 3 were here already\n")


def test_what_cannot_be_read_is_told_and_ends_with_status_1(joe, maildir):
    (maildir / "cur" / "4.M4.host:2,").write_bytes(b"")
    (maildir / "cur" / "5.M5.host:2,").write_bytes(b"no header")
    said = joe("import", "maildir", JOE, str(maildir), status=1)
    assert "left out: 1\n" in said
    assert "4.M4.host:2,: there is nothing in it\n" in said
    assert "5.M5.host:2,: it does not begin with a header\n" in said
    assert joe.json("import", "maildir", JOE, str(maildir), status=1)["left_out"]["count"] == 1


def test_an_mbox_is_imported_below_a_mailbox(joe, tmp_path):
    (tmp_path / "old.mbox").write_bytes(b"From a Tue Nov 14 22:13:20 2023\n" + MESSAGE + b"\n")
    answer = joe.json("import", "mbox", JOE, str(tmp_path / "old.mbox"), "--into", "Old/2023")
    assert [(mailbox["name"], mailbox["imported"]) for mailbox in answer["mailboxes"]] == [("Old/2023", 1)]
    answer = joe.json("import", "mbox", JOE, str(tmp_path / "old.mbox"))
    assert [(mailbox["name"], mailbox["imported"]) for mailbox in answer["mailboxes"]] == [("old", 1)]


def test_eml_files_are_imported(joe, tmp_path):
    (tmp_path / "mail" / "Work").mkdir(parents=True)
    (tmp_path / "mail" / "Work" / "a.eml").write_bytes(MESSAGE)
    answer = joe.json("import", "eml", JOE, str(tmp_path / "mail"), "--seen")
    assert [mailbox["name"] for mailbox in answer["mailboxes"]] == ["Work"]
    exported = joe.json("export", "maildir", str(tmp_path / "out"), JOE, "--mailbox", "Work")
    assert exported["exported"] == 1
    (name,) = os.listdir(tmp_path / "out" / ".Work" / "cur")
    assert name.endswith(":2,S")


def test_an_account_that_is_not_there_is_told(joe, maildir):
    assert "account" in joe("import", "maildir", "nobody@a.test", str(maildir), status=1)


def test_what_is_no_source_is_told(joe, tmp_path):
    assert "no Maildir" in joe("import", "maildir", JOE, str(tmp_path), status=1)
    (tmp_path / "x").write_text("x")
    assert "is no mbox" in joe("import", "mbox", JOE, str(tmp_path / "x"), status=1)


def test_a_server_that_is_not_there_is_told(joe):
    said = joe(
        "import", "imap", JOE, "127.0.0.1", "--port", "1", "--password-stdin", "--tls", "none", stdin="x\n", status=1
    )
    assert "127.0.0.1:1 can't be reached" in said
    assert "--password-stdin" in joe("import", "imap", JOE, "127.0.0.1", status=2)
