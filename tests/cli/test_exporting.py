"""`mailnode export` on the store itself."""

from __future__ import annotations

import pytest

from .test_importing import MESSAGE


@pytest.fixture
def mail(mailnode, tmp_path):
    """`mailnode`, with two users who each have one message."""
    (tmp_path / "mail").mkdir()
    (tmp_path / "mail" / "a.eml").write_bytes(MESSAGE)
    for name in ("joe@a.test", "ann@b.test"):
        mailnode("user", "add", name, "--generate")
        mailnode("import", "eml", name, "mail")
    return mailnode


@pytest.mark.parametrize(("form", "path"), [("maildir", "{}/cur"), ("mbox", "{}/INBOX.mbox")])
def test_all_accounts_are_exported_into_folders_of_their_own(mail, tmp_path, form, path):
    answer = mail.json("export", form, "out")
    assert answer["accounts"] == ["ann@b.test", "joe@a.test"]
    assert (answer["exported"], answer["octets"]) == (2, 2 * len(MESSAGE.replace(b"\n", b"\r\n")))
    for name in answer["accounts"]:
        assert (tmp_path / "out" / path.format(name)).exists()


def test_one_account_is_exported_into_the_folder_itself(mail, tmp_path):
    assert mail("export", "maildir", "out", "joe@a.test").startswith("1 messages exported in ")
    assert (tmp_path / "out" / "cur").is_dir()
    assert "; 1 were there already" in mail("export", "maildir", "out", "joe@a.test")


def test_what_was_left_out_ends_with_status_1(mail, tmp_path):
    for part in ("cur", "new", "tmp"):
        (tmp_path / "out" / part).mkdir(parents=True)
    (tmp_path / "out" / "new" / "theirs").write_bytes(b"x")
    assert "mail of others" in mail("export", "maildir", "out", "joe@a.test", status=1)


def test_what_cannot_be_is_told(mail, tmp_path):
    assert "has no mailbox None" in mail("export", "mbox", "out", "joe@a.test", "--mailbox", "None", status=1)
    assert "--mailbox needs an account" in mail("export", "mbox", "out", "--mailbox", "INBOX", status=2)
    assert "account" in mail("export", "mbox", "out", "nobody@a.test", status=1)
    (tmp_path / "file").touch()
    assert "Not a directory" in mail("export", "mbox", "file/below", "joe@a.test", status=1)
