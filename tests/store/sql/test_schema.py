from __future__ import annotations

import stat

import apsw
import pytest

from twisted_mail_node.mail.errors import PermanentFailure
from twisted_mail_node.store.sql import SQLiteStore, metadata
from twisted_mail_node.store.sql.schema import MIGRATIONS
from twisted_mail_node.store.sql.sqlite.migration import APPLICATION_ID, migrate
from twisted_mail_node.store.sql.sqlite.opening import PAGE_SIZE_OCTETS
from twisted_mail_node.store.sql.sqlite.page_checksums import checking_vfs


def tables(connection):
    return {row[0] for row in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall()}


def test_a_new_file_gets_the_newest_schema():
    connection = apsw.Connection(":memory:")
    migrate(connection)
    assert connection.pragma("user_version") == len(MIGRATIONS)
    assert connection.pragma("application_id") == APPLICATION_ID
    assert {"account", "mailbox", "entry", "email", "body", "queue"} <= tables(connection)


def test_an_older_file_is_led_through_the_missing_steps():
    connection = apsw.Connection(":memory:")
    migrate(connection, [["CREATE TABLE one (a)"]])
    connection.execute("INSERT INTO one VALUES (7)")
    migrate(connection, [["never run again"], ["CREATE TABLE two (b)", "INSERT INTO two SELECT a + 1 FROM one"]])
    assert connection.execute("SELECT b FROM two").fetchall() == [(8,)]
    assert connection.pragma("user_version") == 2


def test_a_file_from_the_future_is_refused(path, reactor, wait, open_store):
    wait(open_store().stop())
    connection = apsw.Connection(str(path), vfs=checking_vfs())
    connection.pragma("user_version", len(MIGRATIONS) + 1)
    connection.close()
    with pytest.raises(PermanentFailure, match="newer version of this program"):
        wait(SQLiteStore(path, reactor=reactor).start())


def test_a_file_of_another_program_is_refused(path, reactor, wait):
    connection = apsw.Connection(str(path))
    connection.execute("CREATE TABLE recipes (name)")
    connection.close()
    with pytest.raises(PermanentFailure, match="not a database of this program"):
        wait(SQLiteStore(path, reactor=reactor).start())


def test_a_file_that_is_no_database_is_refused_and_left_as_it_is(path, reactor, wait):
    path.write_bytes(b"something else altogether\n" * 100)
    with pytest.raises(PermanentFailure, match="not an SQLite database"):
        wait(SQLiteStore(path, reactor=reactor).start())
    assert path.read_bytes() == b"something else altogether\n" * 100


def test_settings_are_made_at_creation(path, store):
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    assert connection.pragma("page_size") == PAGE_SIZE_OCTETS
    assert connection.pragma("auto_vacuum") == 2
    assert connection.pragma("journal_mode") == "wal"
    connection.close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


# Whatever the size of the mailbox or the queue, these are found by an index.
@pytest.mark.parametrize(
    ("statement", "index"),
    [
        ("SELECT item FROM queue WHERE lease_owner = '' AND due <= 5 ORDER BY due, item LIMIT 5", "queue_due"),
        ("SELECT min(due) FROM queue WHERE lease_owner = ''", "queue_due"),
        ("SELECT min(lease_until) FROM queue WHERE lease_owner <> ''", "queue_lease"),
        ("UPDATE queue SET lease_owner = '' WHERE lease_owner <> '' AND lease_until <= 5", "queue_lease"),
        ("SELECT 1 FROM email WHERE body = 5", "email_body"),
        ("SELECT 1 FROM queue WHERE body = 5", "queue_body"),
        (metadata._FORGET_USER.replace("?", "'joe@example.test'"), "annotation_owner"),
        ("DELETE FROM acl WHERE identifier IN ('joe@example.test', '-joe@example.test')", "acl_identifier"),
    ],
)
def test_an_index_leads_to_the_rows(statement, index):
    connection = apsw.Connection(":memory:")
    migrate(connection)
    plan = " ".join(str(row[3]) for row in connection.execute("EXPLAIN QUERY PLAN " + statement).fetchall())
    assert index in plan
    assert "TEMP B-TREE" not in plan
