from __future__ import annotations

import psycopg
import pytest
from twisted.internet.defer import gatherResults

from twisted_mail_node.mail.errors import PermanentFailure
from twisted_mail_node.mail.options import NO_MAIL_OPTIONS, NO_RECIPIENT_OPTIONS
from twisted_mail_node.mail.queue_item import Delivered, Settled
from twisted_mail_node.store.sql.postgres import PostgresStore, examine
from twisted_mail_node.store.sql.postgres.migration import migrate, version_of
from twisted_mail_node.store.sql.schema import MIGRATIONS

pytestmark = pytest.mark.postgres

NEWEST = len(MIGRATIONS)


@pytest.fixture
def empty(postgres_database):
    return postgres_database


def test_nodes_that_start_at_once_on_an_empty_database_make_its_tables_once(empty, reactor, wait):
    stores = [PostgresStore(empty.dsn, reactor=reactor, partitions=1) for _ in range(4)]
    wait(gatherResults([store.start() for store in stores]))
    wait(stores[0].create_account("ann@example.test"))
    assert wait(stores[3].accounts()) == ["ann@example.test"]
    wait(gatherResults([store.stop() for store in stores]))


def test_an_earlier_version_is_brought_to_the_newest(empty):
    with empty.connect() as connection:
        migrate(connection, MIGRATIONS[:1], partitions=1)
        connection.execute("INSERT INTO alias VALUES ('a', '[]')")
        assert version_of(connection) == 1
    with empty.connect() as connection:
        migrate(connection, partitions=1)
        assert version_of(connection) == NEWEST
        assert connection.execute("SELECT source FROM alias").fetchall() == [("a",)]


@pytest.mark.parametrize("version", range(1, NEWEST))
def test_users_and_what_is_queued_are_there_after_an_upgrade(empty, reactor, wait, version):
    with empty.connect() as connection:
        migrate(connection, MIGRATIONS[:version], partitions=1)
        connection.execute("INSERT INTO account VALUES (1, 'ann@example.test', 1, 0)")
        connection.execute("INSERT INTO \"user\" VALUES ('ann@example.test', '$hash')")
        connection.execute(
            "INSERT INTO body (body, size, header_size, eight_bit, content) VALUES (1, 6, 6, 0, 'A: b\r\n')"
        )
        connection.execute(
            "INSERT INTO queue (item, transaction_id, body, body_type, sender_local, sender_domain, recipient_local, "
            "recipient_domain, created, due, attempts, lease_owner, lease_until, last_reply, last_host) VALUES "
            "(1, 't', 1, '8BITMIME', 'ann', 'example.test', 'bob', 'far.test', 1.0, 2.0, 3, '', 0.0, '450 no', 'mx')"
        )
        connection.execute("UPDATE numbering SET account = 1, body = 1, item = 1")
    store = PostgresStore(empty.dsn, reactor=reactor, partitions=1)
    wait(store.start())
    (item,) = wait(store.items())
    assert (str(item.sender), str(item.recipient), item.attempts, item.due) == (
        "ann@example.test",
        "bob@far.test",
        3,
        2.0,
    )
    assert (item.options, item.recipient_options, item.placement) == (NO_MAIL_OPTIONS, NO_RECIPIENT_OPTIONS, None)
    assert wait(store.password_hash("ann@example.test")) == "$hash"
    assert wait(store.verifiers("ann@example.test")) == ()
    assert wait(store.app_passwords("ann@example.test")) == []
    (leased,) = wait(store.lease("one", 3.0, 100.0, 10, ()))
    wait(store.settle(4.0, [Settled(leased.item_id, "one", Delivered("250 ok", "mx"))]))
    assert wait(store.items()) == []
    wait(store.stop())


def test_a_migration_that_fails_leaves_the_version_before(empty):
    with empty.connect() as connection:
        migrate(connection, partitions=1)
        with pytest.raises(psycopg.Error):
            migrate(connection, (*MIGRATIONS, ("CREATE TABLE half (x INTEGER) STRICT", "CREATE NONSENSE")), 1)
        assert version_of(connection) == NEWEST
        assert connection.execute("SELECT to_regclass('half')").fetchall() == [(None,)]


def test_tables_are_not_changed_under_a_running_node(empty):
    with empty.connect() as node, empty.connect() as newer:
        migrate(node, partitions=1)
        with pytest.raises(PermanentFailure, match=f"from version {NEWEST} to {NEWEST + 1}.* stop those first"):
            migrate(newer, (*MIGRATIONS, ()), 1)
        node.close()
        migrate(newer, (*MIGRATIONS, ()), 1)
        assert version_of(newer, NEWEST + 1) == NEWEST + 1


def test_a_newer_version_is_left_alone(empty, reactor, wait):
    with empty.connect() as connection:
        migrate(connection, partitions=1)
        connection.execute("UPDATE mailnode_schema SET version = version + 1")
    with pytest.raises(PermanentFailure, match="newer version of this program"):
        wait(PostgresStore(empty.dsn, reactor=reactor).start())
    with pytest.raises(PermanentFailure, match="newer version of this program"):
        examine(empty.dsn)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"dbname": "nowhere"}, "cannot be used: .*nowhere.* does not exist; look at `dsn`"),
        ({"port": "1"}, "cannot be used: .*refused"),
    ],
)
def test_what_cannot_be_reached_is_told_without_the_password(empty, reactor, wait, change, told):
    dsn = psycopg.conninfo.make_conninfo(empty.dsn, password="secret", host="127.0.0.1", **change)
    for attempt in (lambda: wait(PostgresStore(dsn, reactor=reactor).start()), lambda: examine(dsn)):
        with pytest.raises(PermanentFailure, match=told) as caught:
            attempt()
        assert "secret" not in caught.value.text


def test_what_is_no_connection_string_is_told():
    with pytest.raises(PermanentFailure, match="not a PostgreSQL connection string"):
        examine("nothing=")


def test_examining_changes_nothing(empty):
    examine(empty.dsn)
    with empty.connect() as connection:
        assert version_of(connection) == 0


@pytest.mark.parametrize("dsn", ["host=db password=top secret", "postgresql://ann:secret/top@host/mail"])
def test_what_is_no_connection_string_is_told_without_what_is_in_it(dsn):
    with pytest.raises(PermanentFailure, match="not a PostgreSQL connection string") as caught:
        examine(dsn)
    assert "secret" not in caught.value.text
    assert caught.value.__cause__ is None


def test_a_database_that_cannot_have_all_texts_is_refused(empty, reactor, wait):
    with empty.connect() as connection:
        provider = "LOCALE_PROVIDER libc" if connection.info.server_version >= 150000 else ""
        connection.execute(f"CREATE DATABASE western ENCODING LATIN1 TEMPLATE template0 LOCALE 'C' {provider}")
    dsn = empty.cluster.dsn("western")
    for attempt in (lambda: wait(PostgresStore(dsn, reactor=reactor).start()), lambda: examine(dsn)):
        with pytest.raises(PermanentFailure, match=r"encoding LATIN1.* createdb -E UTF8"):
            attempt()


def test_a_server_that_is_too_old_is_refused(empty, monkeypatch):
    monkeypatch.setattr("twisted_mail_node.store.sql.postgres.opening._OLDEST", 990_000)
    with pytest.raises(PermanentFailure, match="this program needs 99 or later"):
        examine(empty.dsn)
