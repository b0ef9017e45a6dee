"""A look at the store's file before a start: what would stop it, and nothing changed."""

import os

import apsw
import pytest

from twisted_mail_node.mail.errors import PermanentFailure
from twisted_mail_node.store.sql import examine
from twisted_mail_node.store.sql.schema import MIGRATIONS
from twisted_mail_node.store.sql.sqlite.migration import migrate


@pytest.fixture
def path(tmp_path):
    return tmp_path / "mail ?.sqlite"


def test_no_file_and_an_empty_one_would_do(path):
    examine(path)
    path.write_bytes(b"")
    examine(path)


def test_a_store_is_left_as_it_is(path):
    connection = apsw.Connection(str(path))
    connection.pragma("journal_mode", "wal")
    migrate(connection)
    connection.close()
    before = path.read_bytes()
    examine(path)
    assert path.read_bytes() == before
    assert os.listdir(path.parent) == [path.name]


def test_a_later_versions_store_is_told(path):
    connection = apsw.Connection(str(path))
    migrate(connection)
    connection.pragma("user_version", len(MIGRATIONS) + 1)
    connection.close()
    with pytest.raises(PermanentFailure, match="newer version"):
        examine(path)


def test_another_programs_database_is_told(path):
    connection = apsw.Connection(str(path))
    connection.execute("CREATE TABLE theirs (x)")
    connection.close()
    with pytest.raises(PermanentFailure, match="not a database of this program"):
        examine(path)


def test_what_is_no_database_is_told(path):
    path.write_bytes(b"no database" * 1000)
    with pytest.raises(PermanentFailure, match="is not an SQLite database; move it away"):
        examine(path)


def test_a_folder_in_its_place_is_told(path):
    path.mkdir()
    with pytest.raises(PermanentFailure, match="it is not a file"):
        examine(path)
