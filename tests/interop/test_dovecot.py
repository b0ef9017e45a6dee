"""A Maildir that Dovecot made is taken over with its UIDs; one that this node writes is Dovecot's with them."""

from __future__ import annotations

import json
import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
from click.testing import CliRunner

from twisted_mail_node.cli import main

pytestmark = pytest.mark.interop

JOE = "joe@a.test"
MAILBOXES = ("INBOX", "Sent", "Lists.Entwürfe")
FIELDS = "uid flags date.received.unixtime hdr body"


class Dovecot:
    """Dovecot's own tool on Maildirs in a folder; no server runs. Root lets it work as nobody, which it insists on."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._owner = pwd.getpwnam("nobody") if os.getuid() == 0 else pwd.getpwuid(os.getuid())
        folder.chmod(0o755)
        self.give(folder)
        (folder / "dovecot.conf").write_text(
            f"base_dir = {folder}/run\nlog_path = /dev/stderr\nssl = no\nfirst_valid_uid = 1\nfirst_valid_gid = 1\n"
            f"mail_uid = {self._owner.pw_uid}\nmail_gid = {self._owner.pw_gid}\n"
        )

    def give(self, path: Path) -> None:
        """Let Dovecot work on what is below a path."""
        for found in (path, *path.rglob("*")):
            os.chown(found, self._owner.pw_uid, self._owner.pw_gid)

    def run(self, maildir: str, *arguments: str, stdin: bytes = b"") -> bytes:
        done = subprocess.run(
            [
                "doveadm",
                "-c",
                self.folder / "dovecot.conf",
                "-o",
                f"mail_location=maildir:{self.folder}/{maildir}",
                *arguments,
            ],
            input=stdin,
            capture_output=True,
            env={**os.environ, "USER": "joe", "HOME": str(self.folder)},
            cwd=self.folder,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def seen(self, maildir: str) -> dict[str, tuple[bytes, list[object]]]:
        """Status and messages of the mailboxes, and which are subscribed."""
        seen: dict[str, tuple[bytes, list[object]]] = {}
        for name in MAILBOXES:
            fetched = self.run(maildir, "-f", "json", "fetch", FIELDS, "mailbox", name)
            seen[name] = self.status(maildir, name), [_without_recent(message) for message in json.loads(fetched)]
        seen["subscribed"] = self.run(maildir, "mailbox", "list", "-s"), []
        return seen

    def status(self, maildir: str, name: str) -> bytes:
        return self.run(maildir, "-f", "flow", "mailbox", "status", "uidvalidity uidnext messages unseen", name)


def _without_recent(message):
    message["flags"] = sorted(flag for flag in message["flags"].split() if flag != "\\Recent")
    return message


@pytest.fixture
def dovecot():
    folder = Path(tempfile.mkdtemp(prefix="mailnode-dovecot-", dir="/tmp"))
    yield Dovecot(folder)
    shutil.rmtree(folder)


def test_a_maildir_goes_from_dovecot_to_this_node_and_back(dovecot, tmp_path, monkeypatch):
    dovecot.run("theirs", "mailbox", "create", "-s", *MAILBOXES)
    for name in MAILBOXES:
        for number in range(12):
            message = b"Subject: %d\r\n\r\n%s\r\n" % (number, "grüße ".encode() * number * 1000)
            dovecot.run("theirs", "save", "-m", name, stdin=message)
        dovecot.run("theirs", "flags", "add", "\\Seen work", "mailbox", name, "uid", "2:5")
        dovecot.run("theirs", "flags", "add", "\\Flagged $Forwarded $Label1", "mailbox", name, "uid", "7")
        dovecot.run("theirs", "expunge", "mailbox", name, "uid", "3,6,12")
    theirs = dovecot.seen("theirs")
    assert len(theirs) == 4

    monkeypatch.chdir(tmp_path)
    (tmp_path / "mailnode.toml").write_text('domain = [{ name = "a.test" }]\nstate_dir = "state"\n')
    mailnode = CliRunner()
    assert mailnode.invoke(main, ["user", "add", JOE, "--generate"]).exit_code == 0
    answer = json.loads(
        mailnode.invoke(main, ["import", "maildir", JOE, str(dovecot.folder / "theirs"), "--json"]).stdout
    )
    assert answer["imported"] == 27
    assert all(mailbox["keeps_uids"] for mailbox in answer["mailboxes"])
    exported = mailnode.invoke(main, ["export", "maildir", str(dovecot.folder / "ours"), JOE])
    assert exported.exit_code == 0, exported.output
    dovecot.give(dovecot.folder / "ours")
    ours = dovecot.seen("ours")
    # The account here has mailboxes of its own beside those that came.
    assert set(theirs["subscribed"][0].split()) <= set(ours.pop("subscribed")[0].split())
    del theirs["subscribed"]
    assert ours == theirs
