"""Mail into and out of nodes, running or not: by commands that are killed, and from a server over TLS."""

from __future__ import annotations

import os
import re
import smtplib
import subprocess
from pathlib import Path

import apsw
import pytest

from .processes import TOOLS, NodeProcess, eventually, make_certificate

CONFIG = """
hostname = "localhost"
state_dir = "state"
[[domain]]
name = "a.test"
[auth]
hash_memory = "8 KiB"
hash_passes = 1
[[listen]]
service = "smtp"
endpoint = "tcp:0:interface=127.0.0.1"
[[listen]]
service = "imap"
endpoint = "tcp:0:interface=127.0.0.1"
tls = "implicit"
[tls]
certificate = "cert.pem"
private_key = "key.pem"
"""
JOE, PASSWORD = "joe@a.test", "correct horse"
MESSAGES = 4000


@pytest.fixture
def node(tmp_path):
    """A node with one user, not started."""
    node = make_node(tmp_path / "node")
    yield node
    node.stop()


def make_node(folder: Path) -> NodeProcess:
    node = NodeProcess(folder, CONFIG)
    make_certificate(folder, "localhost")
    node.add_user(JOE, PASSWORD)
    return node


def make_maildir(folder: Path, count: int) -> Path:
    for part in ("cur", "new", "tmp"):
        (folder / part).mkdir(parents=True)
    with open(folder / "dovecot-uidlist", "w") as uids:
        uids.write(f"3 V1234567 N{3 * count + 100} Gx\n")
        for number in range(count):
            base = f"{1_600_000_000 + number}.M{number}.host"
            path = folder / "cur" / f"{base}:2,{'S' if number % 3 else ''}"
            path.write_bytes(b"Subject: number %d\n\n%s\n" % (number, b"text " * (number % 700)))
            os.utime(path, (number, number))
            uids.write(f"{3 * number + 1} :{base}\n")
    return folder


def entries(node: NodeProcess) -> int:
    """How many messages the store has; another process may be writing to it."""
    try:
        connection = apsw.Connection(str(node.state / "mail.sqlite"), flags=apsw.SQLITE_OPEN_READONLY)
        with connection:
            return connection.execute("SELECT count(*) FROM entry").fetchone()[0]
    except apsw.Error:
        return 0


def import_and_kill(node: NodeProcess, source: Path, beyond: int) -> None:
    """Run an import, and kill it once so many messages are there."""
    command = [TOOLS / "mailnode", "--config", node.config, "import", "maildir", JOE, source]
    with subprocess.Popen(command, cwd=node.folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as running:
        eventually(lambda: running.poll() is not None or entries(node) > beyond)
        assert running.poll() is None, "it ended before it could be killed"
        running.kill()
    assert beyond < entries(node) < MESSAGES


def exported(node: NodeProcess, folder: Path) -> dict[str, bytes]:
    """All mailboxes of the user as mbox files, but for the guids in them."""
    node.run("export", "mbox", str(folder), JOE)
    guid = re.compile(rb"(?<=\nX-Mailnode-Entry: )[0-9a-f]{32}")
    return {str(path.relative_to(folder)): guid.sub(b"", path.read_bytes()) for path in folder.rglob("*.mbox")}


@pytest.mark.parametrize("is_running", [False, True], ids=["at rest", "running"])
def test_an_import_that_is_killed_twice_loses_nothing_and_brings_nothing_twice(node, tmp_path, is_running):
    source = make_maildir(tmp_path / "Maildir", MESSAGES)
    if is_running:
        node.start()
    import_and_kill(node, source, 200)
    import_and_kill(node, source, 1200)
    answer = node.json("import", "maildir", JOE, str(source))
    assert answer["imported"] > 0
    assert answer["known"] >= 1200
    assert answer["imported"] + answer["known"] == entries(node) == MESSAGES
    assert answer["mailboxes"][0]["keeps_uids"]
    node.run("export", "maildir", str(tmp_path / "out"), JOE)
    files = sorted((tmp_path / "out" / "cur").iterdir(), key=lambda path: path.stat().st_mtime)
    for number, path in enumerate(files):
        assert path.read_bytes() == b"Subject: number %d\n\n%s\n" % (number, b"text " * (number % 700))
        assert path.name.endswith(":2,S") == bool(number % 3)
    uidlist = (tmp_path / "out" / "dovecot-uidlist").read_text().splitlines()
    assert uidlist[0].startswith(f"3 V1234567 N{3 * MESSAGES + 100:010} ")
    assert [int(line.split()[0]) for line in uidlist[1:]] == [3 * number + 1 for number in range(MESSAGES)]


def test_a_node_goes_on_taking_mail_while_mail_is_brought(node, tmp_path):
    source = make_maildir(tmp_path / "Maildir", MESSAGES)
    node.start()
    command = [TOOLS / "mailnode", "--config", node.config, "import", "maildir", JOE, source, "--into", "Old"]
    with subprocess.Popen(command, cwd=node.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        eventually(lambda: entries(node) > 100)
        delivered = 0
        with smtplib.SMTP(*node.listener("smtp", "starttls"), timeout=20) as session:
            while running.poll() is None:
                session.sendmail("ann@far.test", [JOE], f"Subject: live {delivered}\r\n\r\nx\r\n")
                delivered += 1
        said = running.stdout.read()
    assert said.startswith(b"4,000 messages imported")
    assert delivered > 1
    assert entries(node) == MESSAGES + delivered
    assert "Traceback" not in node.log


def test_mail_is_brought_from_a_server_with_all_it_has(node, tmp_path):
    source = make_maildir(tmp_path / "Maildir", 700)
    for name in (".Sent", ".Lists.Entw&APw-rfe"):
        make_maildir(source / name, 20)
    large = b"Subject: large\n\n" + b"a line of a large message\n" * 200_000
    (source / ".Sent" / "cur" / "99.M1.host:2,FR").write_bytes(large)
    node.run("import", "maildir", JOE, str(source))
    node.start()
    _, port = node.listener("imap", "implicit")
    target = make_node(tmp_path / "target")
    options = ["--port", str(port), "--ca-file", str(node.folder / "cert.pem"), "--password-stdin", "--json"]
    said = target.run("import", "imap", JOE, "localhost", *options, stdin=PASSWORD + "\n")
    assert '"imported": 741' in said
    assert exported(target, tmp_path / "theirs") == exported(node, tmp_path / "ours")
    again = target.run("import", "imap", JOE, "localhost", *options, stdin=PASSWORD + "\n")
    assert '"imported": 0, "known": 741' in again


def test_a_server_whose_certificate_is_not_trusted_is_told_no_password(node):
    node.start()
    _, port = node.listener("imap", "implicit")
    command = [TOOLS / "mailnode", "--config", node.config, "import", "imap", JOE, "localhost", "--port", str(port)]
    done = subprocess.run(
        [*command, "--password-stdin"], input="secret\n", cwd=node.folder, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 1
    assert "can't be reached" in done.stderr
    assert "certificate verify failed" in done.stderr
    assert "secret" not in node.log
