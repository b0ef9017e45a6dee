"""A message whose octets have changed on the disk: clients are told that it can't be had, and get all others."""

from __future__ import annotations

import imaplib
import poplib
import smtplib

import pytest

from .processes import NodeProcess

JOE = "joe@damage.test"
PASSWORD = "correct horse battery"
CONFIG = """
hostname = "mx.damage.test"
state_dir = "state"
[[domain]]
name = "damage.test"
[[listen]]
service = "lmtp"
endpoint = "tcp:0:interface=127.0.0.1"
[[listen]]
service = "imap"
endpoint = "tcp:0:interface=127.0.0.1"
tls = "none"
[[listen]]
service = "pop3"
endpoint = "tcp:0:interface=127.0.0.1"
tls = "none"
"""
MARK = b"the octets that change"


@pytest.fixture
def node(tmp_path):
    node = NodeProcess(tmp_path / "node", CONFIG)
    node.add_user(JOE, PASSWORD)
    node.start()
    with smtplib.LMTP(*node.listener("lmtp", "none"), timeout=20) as session:
        for text in ("before", MARK.decode(), "behind"):
            filling = ("x" * 70 + "\r\n") * 200
            session.sendmail("a@b.test", [JOE], f"Subject: one of three\r\n\r\n{filling}{text}\r\n{filling}")
    node.stop()
    file = tmp_path / "node" / "state" / "mail.sqlite"
    content = file.read_bytes()
    at = content.rindex(MARK)
    file.write_bytes(content[:at] + b"T" + content[at + 1 :])
    node.start()
    yield node
    node.stop()


def test_an_imap_client_is_told_and_goes_on(node):
    with imaplib.IMAP4(*node.listener("imap", "none"), timeout=20) as session:
        session.login(JOE, PASSWORD)
        session.select("INBOX")
        kind, (text,) = session.fetch("2", "(BODY.PEEK[])")
        assert (kind, text[:13]) == ("NO", b"[UNAVAILABLE]")
        for number, word in (("1", b"before"), ("3", b"behind")):
            ((_, content), _) = session.fetch(number, "(BODY.PEEK[])")[1]
            assert word in content


def test_an_imap_client_that_asks_for_all_gets_all_others(node):
    with imaplib.IMAP4(*node.listener("imap", "none"), timeout=20) as session:
        session.login(JOE, PASSWORD)
        session.select("INBOX")
        kind, (text,) = session.fetch("1:3", "(UID BODY.PEEK[])")
        assert (kind, text[:13]) == ("NO", b"[UNAVAILABLE]")
        rows = session.untagged_responses["FETCH"]
        assert [row[0][:8] for row in rows if isinstance(row, tuple)] == [b"1 (UID 1", b"3 (UID 3"]


def test_a_pop3_client_is_told_and_gets_the_others(node):
    session = poplib.POP3(*node.listener("pop3", "none"), timeout=20)
    session.user(JOE)
    session.pass_(PASSWORD)
    assert session.stat()[0] == 3
    with pytest.raises(poplib.error_proto, match=r"-ERR \[SYS/TEMP\]"):
        session.retr(2)
    assert b"before" in b"".join(session.retr(1)[1])
    assert b"behind" in b"".join(session.retr(3)[1])
    session.quit()
