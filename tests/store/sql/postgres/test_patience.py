"""A server that does not answer, and does not go away either."""

from __future__ import annotations

import psycopg
import pytest
from twisted.internet.defer import Deferred

from twisted_mail_node.mail.errors import Unavailable
from twisted_mail_node.store.sql import writer
from twisted_mail_node.store.sql.postgres.patience import PatientConnection
from twisted_mail_node.testing.samples import place, transaction

from .conftest import ANN
from .test_lost import first_success

pytestmark = pytest.mark.postgres


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(writer, "FIRST_WAIT_SECONDS", 0.01)
    for module in ("opening", "engine"):
        monkeypatch.setattr(f"twisted_mail_node.store.sql.postgres.{module}.SILENT_SECONDS", 0.5)


@pytest.fixture
def connection(server):
    connection = PatientConnection.connect(server.dsn, autocommit=True)
    yield connection
    connection.close()


def test_a_server_that_is_silent_for_too_long_is_given_up(connection):
    connection.patience = 0.3
    with pytest.raises(psycopg.OperationalError, match="silent"):
        connection.execute("SELECT pg_sleep(20)")
    assert connection.closed


def test_a_server_that_is_silent_is_given_up_in_a_pipeline_as_well(connection):
    connection.patience = 0.3
    with pytest.raises(psycopg.OperationalError), connection.pipeline():
        connection.execute("SELECT pg_sleep(20)").fetchall()
    assert connection.closed


def test_who_says_something_meanwhile_is_waited_for(connection):
    connection.patience = 0.3
    rows = connection.execute(
        "SELECT n, repeat('x', 100000), pg_sleep(0.1) FROM generate_series(1, 8) n", binary=True
    ).fetchall()
    assert len(rows) == 8


def test_changing_tables_may_take_longer(connection):
    assert connection.patience is None
    assert connection.execute("SELECT pg_sleep(0.4)").fetchall()


def test_a_delivery_and_a_read_that_get_no_answer_are_told_so(impatient, store, inbox, wait, server):
    with server.connect() as holder, holder.transaction():
        holder.execute("LOCK TABLE mailbox IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(Unavailable):
            wait(store.deliver(transaction(place(ANN))))
        with pytest.raises(Unavailable):
            wait(inbox.status())
    wait(Deferred.fromCoroutine(first_success(lambda: store.deliver(transaction(place(ANN))))))
    assert wait(Deferred.fromCoroutine(first_success(inbox.status))).messages == 1


def test_a_store_stops_though_its_server_is_silent(impatient, store, inbox, wait, server):
    with server.connect() as holder, holder.transaction():
        holder.execute("LOCK TABLE mailbox IN ACCESS EXCLUSIVE MODE")
        waiting = store.deliver(transaction(place(ANN)))
        reading = inbox.status()
        wait(store.stop())
        for asked in (waiting, reading):
            with pytest.raises(Unavailable):
                wait(asked)
