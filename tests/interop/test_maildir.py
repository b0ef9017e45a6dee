"""Programs that work on the files of a mailbox beside the node: Dovecot, mutt, mbsync and notmuch."""

from __future__ import annotations

import hashlib
import os
import pty
import select
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path

import imapclient
import pytest

from ..integration.processes import NodeProcess, eventually
from ..programs import DOVECOT_IMAP

pytestmark = pytest.mark.interop

USER, PASSWORD = "joe@maildir.test", "correct-horse-battery"
CONFIG = """
hostname = "localhost"
state_dir = "state"
[[domain]]
name = "maildir.test"
[[listen]]
service = "imap"
endpoint = "tcp:0:interface=127.0.0.1"
tls = "none"
[store]
bodies = "maildir"
"""
DOVECOT = """
log_path = {folder}/dovecot.log
base_dir = {folder}/dovecot
ssl = no
mail_location = maildir:{root}/%u
mail_uid = {uid}
mail_gid = {uid}
first_valid_uid = 1
"""
SOME_UID = 1000


class ByPipe(imapclient.IMAPClient):
    """A client of a server that it starts, and speaks to by pipes: they have no time limit to set."""

    class _NoSocket:
        def settimeout(self, seconds):
            pass

    def socket(self):
        return self._NoSocket()


class Beside:
    """A node with Maildirs, and programs beside it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.node = NodeProcess(folder / "node", CONFIG)
        self.root = self.node.state / "maildir"
        self.home = folder / "home"
        self.home.mkdir()

    @property
    def maildir(self) -> Path:
        return self.root / USER

    @contextmanager
    def ours(self, folder: str | None = "INBOX"):
        host, port = self.node.listener("imap", "none")
        with imapclient.IMAPClient(host, port, ssl=False, timeout=20) as session:
            session.login(USER, PASSWORD)
            if folder is not None:
                session.select_folder(folder)
            yield session

    @contextmanager
    def dovecot(self, folder: str | None = "INBOX"):
        """A session with Dovecot. It refuses root, so root takes another number for it, in a namespace of its own."""
        uid = os.getuid() or SOME_UID
        config = self.folder / "dovecot.conf"
        config.write_text(DOVECOT.format(folder=self.folder, root=self.root, uid=uid))
        command = [DOVECOT_IMAP, "-c", str(config)]
        if not os.getuid():
            command = ["unshare", "--user", f"--map-user={uid}", f"--map-group={uid}", *command]
        with ByPipe(f"env USER={USER} HOME={self.home} {' '.join(command)}", ssl=False, stream=True) as session:
            session._imap.state = "AUTH"
            if folder is not None:
                session.select_folder(folder)
            yield session

    def run(self, *command: object) -> str:
        done = subprocess.run(
            [str(part) for part in command],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=60,
            env=os.environ | {"HOME": str(self.home)},
            cwd=self.home,
        )
        assert done.returncode == 0, f"{command} gave {done.returncode}:\n{done.stdout.decode(errors='replace')}"
        return done.stdout.decode()

    def run_in_terminal(self, *command: object) -> None:
        """Run a program that wants a screen to its end."""
        pid, terminal = pty.fork()
        if not pid:
            os.environ.update(HOME=str(self.home), TERM="xterm", LINES="24", COLUMNS="80")
            os.execvp(str(command[0]), [str(part) for part in command])
        shown, end = b"", time.monotonic() + 30
        try:
            while time.monotonic() < end:
                if select.select([terminal], [], [], 1.0)[0]:
                    shown += os.read(terminal, 4096)
            raise AssertionError(f"it does not end: {shown!r}")
        except OSError:  # the terminal is closed by its last user
            assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0, shown
        finally:
            os.close(terminal)


@pytest.fixture
def beside(tmp_path):
    beside = Beside(tmp_path)
    yield beside
    if beside.node.process is not None:
        beside.node.stop()


@pytest.fixture
def running(beside):
    beside.node.add_user(USER, PASSWORD)
    beside.node.start()
    return beside


def message(token: str, newline: str = "\r\n") -> bytes:
    lines = ["From: ann@elsewhere.test", f"To: {USER}", f"Subject: {token}", "", f"body of {token}", ""]
    return newline.join(lines).encode()


def told(session, folder):
    """Everything that a client keeps of a mailbox: if it stays the same, nothing is downloaded again."""
    selected = session.select_folder(folder, readonly=True)
    messages = session.fetch(session.search(), ["UID", "FLAGS", "INTERNALDATE", "RFC822.SIZE", "BODY.PEEK[]"])
    return {
        "UIDVALIDITY": selected[b"UIDVALIDITY"],
        "UIDNEXT": selected[b"UIDNEXT"],
        "messages": {
            uid: (
                sorted(flag for flag in items[b"FLAGS"] if flag != b"\\Recent"),
                items[b"INTERNALDATE"],
                items[b"RFC822.SIZE"],
                hashlib.sha256(items[b"BODY[]"]).hexdigest(),
            )
            for uid, items in messages.items()
        },
    }


def test_a_maildir_of_dovecot_is_taken_over_with_its_uids(beside):
    folders = ["INBOX", "Work", "Work/Entwürfe", "Gone ones"]
    native = {folder: folder.replace("/", ".") for folder in folders}
    with beside.dovecot(None) as session:
        for folder in folders[1:]:
            session.create_folder(native[folder])
        session.subscribe_folder(native["Work"])
        for folder in folders:
            for number in range(12):
                flags = [[], [b"\\Seen"], [b"\\Flagged", b"$Label1"], [b"\\Answered", b"later", b"$Label1"]][number % 4]
                content = message(f"{folder.encode()}-{number}") + b"x" * number
                session.append(native[folder], content, flags)
            session.select_folder(native[folder])
            session.delete_messages([3, 12])
            session.expunge()
        session.select_folder(native["Gone ones"])
        session.delete_messages(session.search())
        session.expunge()
        by_dovecot = {folder: told(session, native[folder]) for folder in folders[:3]}
    assert list(by_dovecot["INBOX"]["messages"]) == [1, 2, 4, 5, 6, 7, 8, 9, 10, 11]

    beside.node.add_user(USER, PASSWORD)
    beside.node.start()
    with beside.ours(None) as session:
        assert {folder: told(session, folder) for folder in folders[:3]} == by_dovecot
        assert {name for _, _, name in session.list_folders()} >= set(folders)
        subscribed = {name for _, _, name in session.list_sub_folders()}
        assert "Work" in subscribed
        assert "Work/Entwürfe" not in subscribed


def test_dovecot_and_the_node_see_what_each_other_does(running):
    with running.ours() as ours, running.dovecot() as theirs:
        ours.append("INBOX", message("from-us"), [b"\\Flagged", b"our-word"])
        theirs.append("INBOX", message("from-dovecot"), [b"their-word"])
        # Dovecot does not look at a folder again that it has just changed itself, for a second or two.
        eventually(lambda: theirs.noop() and len(theirs.search()) == 2)
        ours.noop()
        subjects = {
            items[b"ENVELOPE"].subject: set(items[b"FLAGS"]) - {b"\\Recent"}
            for session in (ours, theirs)
            for items in session.fetch(session.search(), ["ENVELOPE", "FLAGS"]).values()
        }
        assert subjects == {b"from-us": {b"\\Flagged", b"our-word"}, b"from-dovecot": {b"their-word"}}
        for session in (ours, theirs):
            assert len(session.search("ALL")) == 2

        (mine,) = theirs.search(["SUBJECT", "from-us"])
        theirs.add_flags([mine], [b"\\Answered", b"their-word"])
        theirs.remove_flags([mine], [b"\\Flagged"])
        ours.noop()
        (mine_here,) = ours.search(["SUBJECT", "from-us"])
        assert set(ours.fetch([mine_here], ["FLAGS"])[mine_here][b"FLAGS"]) - {b"\\Recent"} == {
            b"\\Answered",
            b"their-word",
            b"our-word",
        }
        (other,) = ours.search(["SUBJECT", "from-dovecot"])
        ours.delete_messages([other])
        ours.expunge()
        eventually(lambda: theirs.noop() and theirs.search() == [mine])
        theirs.delete_messages([mine])
        theirs.expunge()
        ours.noop()
        assert ours.search("ALL") == []


def test_an_idling_client_is_told_of_a_file_within_a_moment(running):
    with running.ours() as session:
        session.idle()
        path = running.maildir / "tmp" / "1.first.elsewhere"
        path.write_bytes(message("by-file", "\n"))
        began = time.monotonic()
        path.rename(running.maildir / "new" / path.name)
        responses = session.idle_check(timeout=10)
        took = time.monotonic() - began
        while (1, b"EXISTS") not in responses:
            responses += session.idle_check(timeout=10)
        assert took < 1.0
        (running.maildir / "new" / path.name).rename(running.maildir / "cur" / f"{path.name}:2,S")
        responses = session.idle_check(timeout=10)
        assert any(response[1] == b"FETCH" and b"\\Seen" in str(response).encode() for response in responses)
        (running.maildir / "cur" / f"{path.name}:2,S").unlink()
        assert (1, b"EXPUNGE") in session.idle_check(timeout=10)
        session.idle_done()


def test_mutt_reads_flags_and_deletes(running):
    with running.ours() as session:
        for token in ("one", "two"):
            session.append("INBOX", message(token))
    (running.home / "muttrc").write_text(
        f"set folder={running.home}\nset quit=yes\nset delete=yes\nset resolve=no\nset sort=subject\nset move=no\n"
    )
    keys = "<first-entry><flag-message><last-entry><delete-message><quit>"
    running.run_in_terminal(
        *("mutt", "-n", "-F", running.home / "muttrc", "-f", running.maildir, "-e", f"push '{keys}'")
    )
    with running.ours() as session:
        (left,) = session.fetch(session.search(), ["ENVELOPE", "FLAGS", "BODY.PEEK[]"]).values()
        assert left[b"ENVELOPE"].subject == b"one"
        assert b"\\Flagged" in left[b"FLAGS"]
        assert left[b"BODY[]"] == message("one")


def test_mbsync_brings_mail_and_flags_both_ways(running):
    there = running.folder / "there"
    with running.ours() as session:
        session.append("INBOX", message("ours"), [b"\\Seen"])
        before = session.folder_status("INBOX", ["UIDNEXT"])
    config = running.home / "mbsyncrc"
    config.write_text(
        f"MaildirStore here\nInbox {running.maildir}\n\nMaildirStore there\nInbox {there}\n\n"
        "Channel both\nFar :here:\nNear :there:\nSync All\nCreate Near\nExpunge Both\nSyncState *\n"
    )
    running.run("mbsync", "-c", config, "both")
    (path,) = [path for part in ("cur", "new") for path in (there / part).iterdir()]
    assert b"Subject: ours" in path.read_bytes()
    with running.ours() as session:
        assert session.folder_status("INBOX", ["UIDNEXT"]) == before
    path.rename(there / "cur" / f"{path.name.partition(':2,')[0]}:2,FS")
    (there / "new" / "1.theirs.elsewhere").write_bytes(message("theirs", "\n"))
    running.run("mbsync", "-c", config, "both")
    with running.ours() as session:
        found = {
            items[b"ENVELOPE"].subject: (set(items[b"FLAGS"]) - {b"\\Recent"}, items[b"BODY[]"])
            for items in session.fetch(session.search(), ["ENVELOPE", "FLAGS", "BODY.PEEK[]"]).values()
        }
        assert found[b"ours"] == ({b"\\Flagged", b"\\Seen"}, message("ours"))
        flags, content = found[b"theirs"]
        assert flags == set()
        # mbsync marks what it brought with a header field of its own.
        assert content.replace(b"\r\n", b"\n").endswith(b"body of theirs\n")
        assert content.count(b"\n") == content.count(b"\r\n")
        session.delete_messages(session.search())
        session.expunge()
    running.run("mbsync", "-c", config, "both")
    assert [path for part in ("cur", "new") for path in (there / part).iterdir()] == []


def test_notmuch_finds_mail_and_its_tags_are_flags(running):
    with running.ours() as session:
        session.append("INBOX", message("needle"))
        session.append("INBOX", message("hay"))
    config = running.home / ".notmuch-config"
    config.write_text(
        f"[database]\npath={running.maildir}\n[user]\nname=Joe\nprimary_email={USER}\n"
        "[new]\ntags=unread;inbox\nignore=.mailnode\n[maildir]\nsynchronize_flags=true\n"
    )
    running.run("notmuch", "new")
    assert "needle" in running.run("notmuch", "search", "subject:needle")
    running.run("notmuch", "tag", "+flagged", "-unread", "--", "subject:needle")

    def flagged():
        with running.ours() as session:
            found = session.search(["FLAGGED", "SEEN"])
            return found and session.fetch(found, ["ENVELOPE"])[found[0]][b"ENVELOPE"].subject

    assert eventually(flagged) == b"needle"
