"""Verifying goes the same way with PostgreSQL."""

from __future__ import annotations

import psycopg
import pytest
from twisted.internet.defer import Deferred

from tests.store.sql.schemas.make import fill
from twisted_mail_node.mail.columns import FetchItem
from twisted_mail_node.mail.errors import Damaged
from twisted_mail_node.mail.uid_set import UIDSet
from twisted_mail_node.store.sql.postgres.engine import PostgresEngine
from twisted_mail_node.store.sql.verification import Kind, Scope, verify

from .conftest import ANN


def findings(server, scope):
    return list(verify(PostgresEngine(server.dsn), scope, lambda *progress: None))


@pytest.fixture
def filled(store, wait):
    wait(Deferred.fromCoroutine(fill(store)))
    return store


def change(server, statement):
    with psycopg.connect(server.dsn, autocommit=True) as connection:
        connection.execute(statement)


@pytest.mark.parametrize("scope", [Scope(), Scope(fast=True), Scope(account=ANN)])
def test_nothing_is_found_where_nothing_is_wrong(filled, server, scope):
    assert findings(server, scope) == []


@pytest.mark.parametrize(
    ("statement", "kind"),
    [
        ("UPDATE mailbox SET unseen = 99 WHERE name = 'INBOX'", Kind.WRONG_COUNTER),
        ("UPDATE email SET uses = 7", Kind.WRONG_USES),
        ("DELETE FROM body WHERE body = 1", Kind.MISSING_BODY),
        ("UPDATE body SET content = overlay(content PLACING 'X'::bytea FROM 9) WHERE body = 3", Kind.DAMAGED_BODY),
        ("DELETE FROM chunk WHERE number = 1", Kind.INCOMPLETE_BODY),
        ("UPDATE body SET hash = NULL", Kind.NO_HASH),
        ("UPDATE numbering SET item = 0", Kind.NUMBER_GIVEN_TWICE),
        ("DELETE FROM mailbox WHERE name = 'Archive'", Kind.STRAY_ROWS),
    ],
)
def test_what_is_wrong_is_found(filled, server, statement, kind):
    change(server, statement)
    assert kind in {finding.kind for finding in findings(server, Scope())}


def test_a_body_that_is_another_than_was_received_is_not_served(filled, server, wait):
    change(server, "UPDATE body SET content = overlay(content PLACING 'X'::bytea FROM 9) WHERE body = 3")
    inbox = wait(wait(filled.account(ANN)).mailbox("INBOX"))
    with pytest.raises(Damaged):
        wait(inbox.open_body(3))
    with pytest.raises(Damaged):
        wait(inbox.fetch(UIDSet.span(3, 3), FetchItem.BODY))
    assert wait(inbox.fetch(UIDSet.span(2, 2), FetchItem.BODY)).bodies[0]
