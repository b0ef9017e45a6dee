"""Connections that end in the middle of things, and what those are told who wait."""

from __future__ import annotations

import psycopg
import pytest
from twisted.internet.defer import Deferred, DeferredList, gatherResults

from twisted_mail_node.mail.changes import ChangeKind
from twisted_mail_node.mail.errors import TemporaryFailure, Unavailable
from twisted_mail_node.store.sql import writer
from twisted_mail_node.store.sql.postgres import listener
from twisted_mail_node.store.sql.postgres.connection import PostgresConnection
from twisted_mail_node.testing.samples import DATE, body, flags, place, transaction

from .conftest import ANN

pytestmark = pytest.mark.postgres


@pytest.fixture(autouse=True)
def soon(monkeypatch):
    """Connections are tried again at once."""
    monkeypatch.setattr(writer, "FIRST_WAIT_SECONDS", 0.01)
    monkeypatch.setattr(listener, "AGAIN_SECONDS", 0.01)
    monkeypatch.setattr("twisted_mail_node.store.sql.readers.AGAIN_SECONDS", 0.0)


@pytest.fixture
def end_all(server):
    """Ends all connections to the database, as its server does when it stops."""

    def end():
        with server.connect() as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity "
                "WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
            )

    return end


async def first_success(what, failures=None):
    """Try until it succeeds; each failure has to be a temporary one."""
    while True:
        try:
            return await what()
        except TemporaryFailure as failure:
            if failures is not None:
                failures.append(failure)


def test_who_comes_while_there_is_no_connection_is_told_at_once_and_later_served(store, inbox, wait, end_all):
    end_all()
    failures = []
    wait(Deferred.fromCoroutine(first_success(lambda: store.deliver(transaction(place(ANN))), failures)))
    assert [type(failure) for failure in failures if not isinstance(failure, Unavailable)] == []
    assert failures
    wait(Deferred.fromCoroutine(first_success(inbox.status)))
    assert wait(inbox.status()).messages == 1


def test_a_read_whose_connection_has_ended_is_done_on_another(inbox, wait, end_all):
    wait(gatherResults([inbox.status() for _ in range(20)]))
    end_all()
    statuses = wait(gatherResults([inbox.status() for _ in range(40)], consumeErrors=True))
    assert {status.messages for status in statuses} == {0}


def test_reads_fail_at_once_while_there_is_no_database_and_are_served_when_it_is_back(
    store, inbox, wait, end_all, server, monkeypatch
):
    wait(gatherResults([inbox.status() for _ in range(20)]))
    with monkeypatch.context() as broken:

        def refuse(engine):
            raise psycopg.OperationalError("nobody listens")

        broken.setattr("twisted_mail_node.store.sql.postgres.engine.PostgresEngine.open_reader", refuse)
        end_all()
        results = wait(DeferredList([inbox.status() for _ in range(40)], consumeErrors=True))
        assert {success or type(result.value) for success, result in results} == {Unavailable}
    assert wait(inbox.status()).messages == 0


def test_who_watches_is_told_to_look_once_others_can_be_heard_again(store, other, inbox, wait, end_all):
    heard = Deferred()
    store.watch(ANN, lambda notice: heard.called or heard.callback(notice))
    version = store.version
    end_all()
    notice = wait(heard)
    assert notice.mailbox_ids >= {inbox.mailbox_id}
    assert notice.kinds == ~ChangeKind.REMOVED
    assert store.version > version


def test_the_watcher_of_an_account_removed_meanwhile_is_told_so(store, other, inbox, wait, end_all, server):
    heard = Deferred()
    store.watch(ANN, lambda notice: heard.called or heard.callback(notice))
    with server.connect() as connection:
        connection.execute("DELETE FROM account")
    end_all()
    assert wait(heard).kinds == ChangeKind.REMOVED


@pytest.mark.parametrize("done", [True, False])
def test_a_commit_whose_outcome_was_not_told_is_looked_up(store, other, inbox, wait, monkeypatch, done):
    connections, original = [], PostgresConnection.commit
    wait(store._write(lambda state: connections.append(state.connection)))
    told, told_there = [], []
    store.watch(ANN, told.append)
    other.watch(ANN, told_there.append)

    def commit(connection):
        if connection is not connections[0]:
            original(connection)
            return
        if done:
            original(connection)
        connection.raw.pgconn.finish()
        raise psycopg.OperationalError("the connection was cut")

    monkeypatch.setattr(PostgresConnection, "commit", commit)
    wanted = transaction(place(ANN))
    results = wait(DeferredList([store.deliver(wanted), inbox.append([(body(), flags(), DATE)])], consumeErrors=True))
    assert [success for success, _ in results] == [done, done]
    assert wait(inbox.status()).messages == (2 if done else 0)
    if done:
        assert results[0][1].placed[0].uid == 1
        assert [notice.modseq for notice in told] == [wait(inbox.status()).highest_modseq]
    else:
        assert {type(failure.value) for _, failure in results} == {Unavailable}
        assert told == []
    # The transaction's id is as good as new where nothing was done, and known where all was.
    assert wait(store.deliver(wanted)).placed[0].uid == 1
    assert wait(inbox.status()).messages == (2 if done else 1)


def test_an_outcome_is_not_looked_up_before_the_old_transaction_has_ended(store, inbox, wait, monkeypatch, server):
    """The server still has the old connection's transaction: the look-up waits for it, and sees what came of it."""
    monkeypatch.setattr("twisted_mail_node.store.sql.postgres.shared.OUTCOME_SECONDS", 1)
    connections, original = [], PostgresConnection.commit
    wait(store._write(lambda state: connections.append(state.connection)))
    kept = []

    def commit(connection):
        if connection is not connections[0]:
            original(connection)
            return
        connection.check()
        kept.append(connection.raw)  # open, with all that was written, and not committed
        raise psycopg.OperationalError("the connection was cut")

    monkeypatch.setattr(PostgresConnection, "commit", commit)
    monkeypatch.setattr(
        PostgresConnection, "close", lambda connection: connection.raw in kept or connection.raw.close()
    )
    waiting = store.deliver(transaction(place(ANN)))
    waiting.addErrback(lambda failure: failure)
    with server.connect() as connection:
        blocked = "SELECT count(*) FROM pg_locks WHERE NOT granted"

        async def until_blocked():
            while connection.execute(blocked).fetchall() == [(0,)]:
                await store._reactor.turn()

        wait(Deferred.fromCoroutine(until_blocked()))
        assert not waiting.called
        commit_late(kept[0])
    assert wait(waiting).placed[0].uid == 1
    kept[0].close()


def commit_late(raw):
    raw.pgconn.send_query_params(b"COMMIT", [])
    raw.pgconn.pipeline_sync()
    raw.pgconn.flush()


def test_what_cannot_be_known_in_time_is_told_to_have_failed(store, inbox, wait, monkeypatch):
    monkeypatch.setattr(writer, "UNKNOWN_SECONDS", 0.05)
    connections, original = [], PostgresConnection.commit
    wait(store._write(lambda state: connections.append(state.connection)))

    def commit(connection):
        if connection is connections[0]:
            original(connection)
            connection.raw.pgconn.finish()
            raise psycopg.OperationalError("the connection was cut")
        original(connection)

    monkeypatch.setattr(PostgresConnection, "commit", commit)
    engine = store._machinery.engine
    reachable, open_writer = [], engine.open_writer

    def open_later(*args):
        if not reachable:
            raise psycopg.OperationalError("not yet")
        return open_writer(*args)

    monkeypatch.setattr(engine, "open_writer", open_later)
    with pytest.raises(Unavailable):
        wait(store.deliver(transaction(place(ANN))))
    reachable.append(True)
    wait(Deferred.fromCoroutine(first_success(lambda: store.deliver(transaction(place(ANN))))))


def test_a_store_stops_though_its_database_is_gone(store, inbox, wait, end_all, monkeypatch):
    def unreachable(*args):
        raise psycopg.OperationalError("never again")

    monkeypatch.setattr(store._machinery.engine, "open_writer", unreachable)
    end_all()
    with pytest.raises(TemporaryFailure):
        wait(store.deliver(transaction(place(ANN))))
    wait(store.stop())


def test_a_transaction_that_was_looked_up_before_it_counted_cannot_commit_any_more(store, inbox, wait, server):
    """What the old connection had sent may reach the server late."""
    engine = store._machinery.engine
    old, new = (engine.open_writer(store._reactor.seconds, ()) for _ in range(2))
    try:
        old.connection.begin()
        assert new.was_committed(old) is False
        with pytest.raises(psycopg.errors.DivisionByZero):
            old.batch_begins((transaction(place(ANN)),), ())
        # Asked again, since the answer to the first look-up may have been lost as well.
        assert new.was_committed(old) is False
    finally:
        old.connection.close()
        new.connection.close()


def test_sweeping_goes_on_after_a_round_without_a_database(store, inbox, wait, end_all, monkeypatch):
    engine = store._machinery.engine
    sweep = store._machinery.sweep
    with monkeypatch.context() as unreachable:

        def refuse(*args):
            raise psycopg.OperationalError("not yet")

        unreachable.setattr(engine, "open_writer", refuse)
        end_all()
        with pytest.raises(TemporaryFailure):
            wait(store.deliver(transaction(place(ANN))))
        store._reactor.advance(61.0)
        assert sweep.at_rest
    wait(Deferred.fromCoroutine(first_success(lambda: store.deliver(transaction(place(ANN))))))


def test_what_is_acknowledged_is_on_disk_whatever_the_server_is_set_to(server, open_store, wait):
    with server.connect() as connection:
        connection.execute(f"ALTER DATABASE {server.name} SET synchronous_commit = off")
    try:
        store = open_store()
        assert wait(store._write(lambda state: state.connection.one("SHOW synchronous_commit"))) == ("on",)
    finally:
        with server.connect() as connection:
            connection.execute(f"ALTER DATABASE {server.name} RESET synchronous_commit")
