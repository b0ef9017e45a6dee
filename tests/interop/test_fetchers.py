"""Programs that fetch mail by POP3, over TLS and with the node's certificate checked."""

from __future__ import annotations

import poplib
from pathlib import Path

import pytest

from ..integration.processes import trusting
from .conftest import PASSWORD, USER, Interop
from .mailbox import client, message

pytestmark = pytest.mark.interop


@pytest.fixture
def one(interop):
    """The token of the only message in the mailbox."""
    with client(interop) as session:
        session.select_folder("INBOX")
        session.delete_messages(session.search())
        session.expunge()
        session.append("INBOX", message("fetched"))
    return b"Subject: fetched\n"


def is_empty(interop: Interop) -> bool:
    with client(interop) as session:
        return session.select_folder("INBOX")[b"EXISTS"] == 0


def maildir(folder: Path) -> Path:
    for part in ("cur", "new", "tmp"):
        (folder / part).mkdir(parents=True)
    return folder


@pytest.mark.parametrize(("tls", "mechanism"), [("starttls", "plain"), ("implicit", "scram-sha-256")])
def test_mpop_takes_everything_once(interop, tmp_path, one, tls, mechanism):
    taken = maildir(tmp_path / "taken")
    config = tmp_path / "mpoprc"
    config.write_text(
        f"""account default
host localhost
port {interop.port("pop3", tls)}
tls on
tls_starttls {"on" if tls == "starttls" else "off"}
tls_trust_file {interop.certificate}
auth {mechanism}
user {USER}
password {PASSWORD}
pipelining on
uidls_file {tmp_path}/uidls
keep {"on" if tls == "starttls" else "off"}
delivery maildir {taken}
"""
    )
    config.chmod(0o600)
    for _ in range(2):
        interop.run("mpop", "-C", config)
        [got] = list(taken.glob("new/*"))
        assert one in got.read_bytes()
    assert is_empty(interop) == (tls == "implicit")


@pytest.mark.parametrize("kind", ["POP3", "IMAP"])
def test_getmail_takes_everything_once(interop, tmp_path, one, kind):
    taken = tmp_path / "taken"
    # It fills no mailbox as root, only a program's input.
    (tmp_path / "getmailrc").write_text(
        f"""[retriever]
type = Simple{kind}SSLRetriever
server = localhost
port = {interop.port(kind.lower(), "implicit")}
username = {USER}
password = {PASSWORD}
ca_certs = {interop.certificate}
[destination]
type = MDA_external
path = /usr/bin/tee
arguments = ("-a", "{taken}")
allow_root_commands = true
[options]
delete = false
read_all = false
"""
    )
    for _ in range(2):
        interop.run("getmail", "--getmaildir", tmp_path, "--rcfile", "getmailrc")
        assert taken.read_bytes().count(one) == 1
    assert not is_empty(interop)


def test_poplib_takes_everything(interop, one):
    session = poplib.POP3("localhost", interop.port("pop3", "starttls"), timeout=20)
    session.stls(trusting(interop.certificate))
    session.user(USER)
    session.pass_(PASSWORD)
    assert b"\n".join(session.retr(1)[1]).endswith(b"First line\n.\n..two dots\nlast")
    session.dele(1)
    session.quit()
    assert is_empty(interop)
