"""Databases with the store's tables, for tests that need nothing else than a store on PostgreSQL."""

from __future__ import annotations

import psycopg

from twisted_mail_node.store.sql.postgres.migration import migrate

# Each part costs every emptying of the tables; one would not show a row in the wrong one.
PARTITIONS = 2


def make_tables(dsn):
    with psycopg.connect(dsn, autocommit=True) as connection:
        migrate(connection, partitions=PARTITIONS)


def database(databases):
    """A database with empty tables."""
    return databases.prepared("mail", make_tables)
