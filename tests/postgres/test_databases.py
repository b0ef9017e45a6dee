from __future__ import annotations

import psycopg
import pytest

pytestmark = pytest.mark.postgres

MADE = """
    CREATE TABLE numbering (last BIGINT NOT NULL);
    INSERT INTO numbering VALUES (0);
    CREATE TABLE account (account BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name TEXT NOT NULL);
    CREATE TABLE entry (account BIGINT REFERENCES account, octets BYTEA) PARTITION BY HASH (account);
    CREATE TABLE entry_0 PARTITION OF entry FOR VALUES WITH (MODULUS 2, REMAINDER 0);
    CREATE TABLE entry_1 PARTITION OF entry FOR VALUES WITH (MODULUS 2, REMAINDER 1);
    INSERT INTO account (name) VALUES ('first'), ('tab\there');
    INSERT INTO entry VALUES (1, '\\x0001ff'), (2, NULL);
"""


@pytest.fixture
def made(postgres_databases):
    """Gives the database as it was made, whatever was done to it."""

    def make(dsn):
        with psycopg.connect(dsn) as connection:
            connection.execute(MADE)

    return lambda: postgres_databases.prepared("databases", make)


def content(database):
    with database.connect() as connection:
        return {
            table: sorted(connection.execute(f"SELECT * FROM {table}"), key=str)
            for table in ("numbering", "account", "entry")
        }


def test_whatever_a_test_did_the_next_one_finds_the_database_as_it_was_made(made):
    first = content(made())
    assert first == {
        "numbering": [(0,)],
        "account": [(1, "first"), (2, "tab\there")],
        "entry": [(1, b"\0\1\xff"), (2, None)],
    }
    with made().connect() as connection:
        connection.execute("UPDATE numbering SET last = 7; DELETE FROM entry WHERE account = 1")
        connection.execute("INSERT INTO account (name) VALUES ('third'); INSERT INTO entry VALUES (3, 'x')")
    assert content(made()) == first


def test_keys_and_numbers_are_as_they_were_made(made):
    for _ in range(2):
        with made().connect() as connection:
            with pytest.raises(psycopg.errors.ForeignKeyViolation):
                connection.execute("INSERT INTO entry VALUES (3, 'x')")
            given = connection.execute("INSERT INTO account (name) VALUES ('a') RETURNING account").fetchone()
        assert given == (3,)


def test_a_session_that_was_left_open_in_a_transaction_does_not_stand_in_the_way(made):
    left = made().connect()
    left.execute("BEGIN; LOCK TABLE account")
    made()
    with pytest.raises(psycopg.OperationalError):
        left.execute("COMMIT")


def test_a_new_database_has_nothing_in_it_and_shares_nothing(postgres_databases, postgres_database):
    other = postgres_databases.new()
    assert other.name != postgres_database.name
    for database in (other, postgres_database):
        with database.connect() as connection:
            connection.execute("CREATE TABLE here ()")
