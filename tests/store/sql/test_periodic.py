"""What a start, and what runs by itself, reads: by index and in slices, however large the database."""

from __future__ import annotations

import re

import apsw
import pytest

from twisted_mail_node.mail.uid_set import UIDSet
from twisted_mail_node.store.sql.sqlite.connection import SQLiteConnection
from twisted_mail_node.store.sql.sqlite.migration import migrate
from twisted_mail_node.store.sql.sweep import READABLE_SECONDS
from twisted_mail_node.testing.samples import body, outgoing, place, transaction

GROWING = frozenset({"account", "mailbox", "entry", "email", "body", "chunk", "expunged", "vanished", "queue"})
"""Tables with as many rows as there is mail, or users."""

PARTS = frozenset({"queue_lease"})
"""Indexes of few rows: what is leased to a runner just now."""


@pytest.fixture
def statements(monkeypatch):
    """All statements that are run by any connection, as SQLite has them."""
    seen = []

    def every(self, statement, bindings=()):
        seen.append((statement, tuple(bindings) if not isinstance(bindings, dict) else bindings))
        return apsw.Connection.execute(self, statement, bindings)

    def many(self, statement, rows):
        rows = list(rows)
        seen.extend((statement, row) for row in rows[:1])
        return apsw.Connection.executemany(self, statement, rows)

    monkeypatch.setattr(SQLiteConnection, "execute", every)
    monkeypatch.setattr(SQLiteConnection, "executemany", many)
    return seen


def fill(store, inbox, wait):
    for number in range(30):
        parts = (place("ann@example.test"), outgoing("eve@far.test"))
        wait(store.deliver(transaction(*parts, bodies=(body(),), id=f"t-{number}")))
    wait(inbox.copy(UIDSet.span(1, 5), "Archive"))
    wait(inbox.expunge(UIDSet.span(3, 9), only_deleted=False))
    wait(wait(store.account("ann@example.test")).delete("Archive"))
    wait(store.create_account("bob@example.test"))
    wait(store.remove_account("bob@example.test"))
    wait(store.drop([1, 2, 3]))


def scans(seen):
    """The steps that walk through a growing table from its one end to the other, statement by statement."""
    connection = apsw.Connection(":memory:")
    migrate(connection)
    found = set()
    for statement, bindings in seen:
        if not re.match(r"(SELECT|INSERT|UPDATE|DELETE|WITH)\b", statement):
            continue
        for *_, step in connection.execute("EXPLAIN QUERY PLAN " + statement, bindings).fetchall():
            walked = re.match(r"SCAN (\w+)(?: USING (?:COVERING )?INDEX (\w+))?", step)
            # With a limit it ends after so many rows: SQLite says nothing of it in its plan.
            if walked and walked[1] in GROWING and walked[2] not in PARTS and "LIMIT" not in statement:
                found.add((step, statement))
    return found


def test_what_runs_by_itself_walks_through_no_table(store, inbox, wait, reactor, statements):
    fill(store, inbox, wait)
    statements.clear()
    reactor.advance(READABLE_SECONDS + 100)
    sweep = store._machinery.sweep
    wait_until(reactor, lambda: sweep.at_rest and any("vanished" in statement for statement, _ in statements))
    told = {statement for statement, _ in statements}
    for table in ("expunged", "orphan", "removed", "staged", "committed", "vanished"):
        assert any(table in statement for statement in told), f"{table} was not looked at"
    assert scans(statements) == set()


def test_a_start_walks_through_no_table(open_store, wait, store, inbox, statements):
    fill(store, inbox, wait)
    wait(store.stop())
    statements.clear()
    again = open_store()
    wait(again.release_leases("owner"))
    wait(again.next_due(0.0))
    wait(again.lease("owner", 1e12, 2e12, 10, frozenset()))
    assert len(statements) > 5
    assert scans(statements) == set()


def wait_until(reactor, condition):
    for _ in range(2_000):
        if condition():
            return
        reactor.wait_for(reactor.turn())
    raise AssertionError("it never came to that")
