"""What the listening connection hears at unusual moments, and from others than nodes."""

from __future__ import annotations

from json import dumps
from queue import SimpleQueue

import psycopg
import pytest

from twisted_mail_node.mail.changes import ChangeKind
from twisted_mail_node.store.sql.postgres import listener
from twisted_mail_node.store.sql.postgres.listener import Listener
from twisted_mail_node.store.sql.postgres.shared import CHANNEL

from .conftest import ANN

pytestmark = pytest.mark.postgres

BOB = "bob@example.test"


class Around:
    """Surroundings that note what they are told."""

    def __init__(self, watched=tuple):
        self.told = SimpleQueue()
        self.watched = watched

    def between_commits(self, work):
        raise AssertionError("a listener writes nothing")

    def tell(self, notices, queue_grew, users_changed):
        self.told.put((list(notices), queue_grew, users_changed))


@pytest.fixture
def notify(server):
    """Sends a notification as a node does, or as anybody does who may connect."""

    def send(payload):
        with server.connect() as connection:
            connection.execute("SELECT pg_notify(%s, %s)", (CHANNEL, payload))

    return send


@pytest.fixture
def listening(reactor, server, wait, monkeypatch):
    """Starts listeners; they are stopped at the end."""
    monkeypatch.setattr(listener, "AGAIN_SECONDS", 0.01)
    started = []

    def start(around, dsn=server.dsn):
        one = Listener(reactor, around, "this", lambda: psycopg.connect(dsn, autocommit=True))
        wait(one.start())
        started.append(one)
        return one

    yield start
    for one in started:
        wait(one.stop())


def change(name, modseq, node="another"):
    return dumps([node, 0, 0, [name, modseq, [1], ChangeKind.MESSAGES.value]])


def test_what_comes_while_the_listener_asks_is_heard(store, server, wait, listening, notify):
    """A change told while an account is looked up whose changes were too many to be named."""
    wait(store.create_account(ANN))
    around = Around()
    listening(around)
    with server.connect() as connection, connection.transaction():
        # The look-up waits for this lock, and the notification is there before its answer.
        connection.execute("LOCK TABLE mailbox IN ACCESS EXCLUSIVE MODE")
        notify(dumps(["another", 0, 0, [ANN, 5, None, ChangeKind.MESSAGES.value]]))
        with server.connect() as watching:
            blocked = "SELECT count(*) FROM pg_locks WHERE NOT granted"
            while watching.execute(blocked).fetchall() == [(0,)]:
                pass
        notify(change(BOB, 7))
    names = [around.told.get(timeout=10)[0][0].account for _ in range(2)]
    assert names == [ANN, BOB]


@pytest.mark.parametrize(
    "payload",
    [
        "",
        "nonsense",
        "[" * 7000,
        '["x",0,0,["x",Infinity,[],1]]',
        "{}",
        "3",
        "[]",
        '["another"]',
        '["another",0,0,["x"]]',
        '["another",0,0,["x",1,[[]],1]]',
    ],
)
def test_what_no_node_sends_is_passed_over(listening, notify, payload):
    around = Around()
    listening(around)
    notify(payload)
    notify(change(BOB, 7))
    heard = around.told.get(timeout=10)
    assert [notice.account for notice in heard[0]] == [BOB]
