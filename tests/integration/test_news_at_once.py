"""How soon a client that idles knows what another has done. RFC 2177 §3"""

from __future__ import annotations

import time

import pytest

from .crowd import ask, connected
from .processes import NodeProcess, listening

USER, PASSWORD = "user@example.test", "correct horse battery"
MOST_SECONDS = 0.05
ROUNDS = 5


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    node = NodeProcess(
        tmp_path_factory.mktemp("news"),
        f"""
hostname = "mx.example.test"
state_dir = "state"
[[domain]]
name = "example.test"
{listening([("imap", "none")])}
""",
    )
    node.add_user(USER, PASSWORD)
    node.start()
    try:
        yield node
    finally:
        node.stop()


def heard(client, end):
    """What the client is told up to a line that ends so; what comes along with it is heard too."""
    told = b""
    while end not in told:
        piece = client.recv(65_536)
        assert piece, told
        told += piece
    return told


def selected(node):
    client = connected(node.listener("imap", "none"), b"* OK ")
    client.settimeout(10)
    client.sendall(b'a LOGIN %b "%b"\r\nb SELECT INBOX\r\n' % (USER.encode(), PASSWORD.encode()))
    heard(client, b"b OK [READ-WRITE] selected\r\n")
    return client


def done(client, command):
    """A command of the client, with its end."""
    client.sendall(b"c " + command + b"\r\n")
    while b"c OK " not in (told := heard(client, b"\r\n")):
        assert b"c NO" not in told
        assert b"c BAD" not in told


def append(doer, number):
    """A message comes."""
    done(doer, b"APPEND INBOX {10+}\r\nA: b\r\n\r\nhi")


def change_flags(doer, number):
    """The first message has other flags."""
    done(doer, b"STORE 1 FLAGS.SILENT (%b)" % (b"\\Flagged", b"\\Answered")[number % 2])


def expunge(doer, number):
    """A message goes."""
    done(doer, b"UID EXPUNGE 1:*")


@pytest.mark.alone
@pytest.mark.parametrize(
    ("change", "news"), [(append, b" EXISTS\r\n"), (change_flags, b"))\r\n"), (expunge, b" EXPUNGE\r\n")]
)
def test_another_clients_changes_are_told_at_once(node, change, news):
    """The time is taken from before the command, so the commit is within it."""
    with selected(node) as doer:
        append(doer, 0)  # before the other selects: nothing is new to it when it begins to idle
    with selected(node) as doer, selected(node) as idler:
        ask(idler, b"i IDLE\r\n")
        taken = []
        for number in range(ROUNDS):
            if change is expunge:
                done(doer, b"STORE 1 +FLAGS.SILENT (\\Deleted)")
                append(doer, number)
                heard(idler, b" EXISTS\r\n")
            begun = time.perf_counter()
            change(doer, number)
            heard(idler, news)
            taken.append(time.perf_counter() - begun)
        assert min(taken) < MOST_SECONDS, taken
