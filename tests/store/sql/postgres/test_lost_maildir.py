"""A start with Maildirs after a kill: the server may still be committing what the killed process sent it."""

from __future__ import annotations

import os

import pytest
from psycopg.errors import LockNotAvailable

from twisted_mail_node.store.maildir.tree import Tree
from twisted_mail_node.store.sql.postgres import PostgresStore, connection
from twisted_mail_node.testing.samples import body, message, place, transaction

from .conftest import ANN

pytestmark = pytest.mark.postgres


@pytest.fixture
def root(tmp_path):
    return tmp_path / "maildir"


@pytest.fixture
def killed(server, root, reactor, wait):
    """Where a message is staged whose commit is under way, and that transaction: its process has ended."""
    store = PostgresStore(server.dsn, reactor=reactor, tree=Tree(root))
    wait(store.start())
    wait(store.create_account(ANN))
    wait(store.deliver(transaction(place(ANN), bodies=(body(message("hello")),))))
    wait(store.stop())
    (placed,) = [path for path in root.glob("**/new/*") if path.is_file()]
    with server.connect() as under_way:
        ((account, base),) = under_way.execute("SELECT account, base FROM file").fetchall()
        rows = under_way.execute("DELETE FROM file RETURNING account, mailbox, uid, base, tail").fetchall()
        under_way.execute("BEGIN")
        under_way.execute("UPDATE node SET commits = commits + 1")
        under_way.execute("INSERT INTO file VALUES (%s, %s, %s, %s, %s)", rows[0])
        stage = root / ".mailnode" / "stage" / "0123456789abcdef"
        stage.mkdir()
        staged = stage / f"{account}_{os.fsdecode(bytes(base))}"
        placed.rename(staged)
        yield staged, placed, under_way


def test_what_a_killed_process_had_committed_by_then_is_kept(killed, server, root, reactor, wait):
    staged, placed, under_way = killed
    store = PostgresStore(server.dsn, reactor=reactor, tree=Tree(root))
    starting = store.start()
    with server.connect() as watching:
        waiting = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        while not (starting.called or watching.execute(waiting).fetchall()):
            wait(reactor.turn())
    assert staged.exists()
    under_way.execute("COMMIT")
    wait(starting)
    assert placed.exists()
    wait(store.stop())


def test_a_start_that_cannot_know_fails_and_leaves_what_is_staged(killed, server, root, reactor, wait, monkeypatch):
    monkeypatch.setattr(connection, "OUTCOME_SECONDS", 0.05)
    staged, _, under_way = killed
    with pytest.raises(LockNotAvailable):
        wait(PostgresStore(server.dsn, reactor=reactor, tree=Tree(root)).start())
    assert staged.exists()
    under_way.execute("ROLLBACK")
