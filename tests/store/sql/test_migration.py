"""Stored databases of every earlier schema are brought to the newest: nothing that the doors tell changes."""

from __future__ import annotations

import gzip
import json
import shutil
from collections import namedtuple
from pathlib import Path

import apsw
import pytest
from twisted.internet.defer import Deferred

from twisted_mail_node.mail.errors import PermanentFailure
from twisted_mail_node.store.sql import SQLiteStore
from twisted_mail_node.store.sql.schema import MIGRATIONS
from twisted_mail_node.store.sql.sqlite import migration
from twisted_mail_node.store.sql.sqlite.engine import SQLiteEngine
from twisted_mail_node.store.sql.sqlite.migration import migrate
from twisted_mail_node.store.sql.sqlite.opening import Durability
from twisted_mail_node.store.sql.verification import Kind, Scope, verify
from twisted_mail_node.testing.samples import body, message, place, transaction

from .schemas.content import content_of

SCHEMAS = Path(__file__).parent / "schemas"
VERSIONS = range(1, len(MIGRATIONS))


@pytest.fixture(params=VERSIONS, ids=lambda version: f"version {version}")
def version(request):
    return request.param


@pytest.fixture
def stored(version, path):
    """A database of that version, at the store's path."""
    path.write_bytes(gzip.decompress((SCHEMAS / f"version_{version}.sqlite.gz").read_bytes()))
    return path


@pytest.fixture
def content(version):
    """What the doors told of it then."""
    return json.loads(gzip.decompress((SCHEMAS / f"version_{version}.json.gz").read_bytes()))


def told(store, wait):
    return json.loads(json.dumps(wait(Deferred.fromCoroutine(content_of(store)))))


def test_all_that_was_there_is_there_after_the_upgrade(stored, content, open_store, wait):
    store = open_store()
    assert told(store, wait) == content
    assert content["accounts"]["ann@example.test"]["mailboxes"]


def test_an_upgraded_store_takes_mail_and_is_sound(stored, open_store, wait):
    store = open_store()
    placed = wait(store.deliver(transaction(place("ann@example.test"), bodies=(body(message("New")),))))
    assert placed.placed[0].uid == 42
    wait(store.stop())
    kinds = {finding.kind for finding in verify(SQLiteEngine(stored, Durability.OFF), Scope(), lambda *progress: None)}
    assert kinds <= {Kind.NO_HASH}


def test_the_file_is_kept_as_it_was(stored, version, open_store):
    open_store()
    kept = stored.with_name(f"mail.sqlite.before-{len(MIGRATIONS)}")
    connection = apsw.Connection(str(kept), flags=apsw.SQLITE_OPEN_READONLY)
    assert connection.pragma("user_version") == version
    assert connection.pragma("integrity_check") == "ok"
    assert kept.stat().st_mode & 0o777 == 0o600


def test_without_room_for_the_copy_nothing_is_changed(stored, version, reactor, wait, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage(0, 0, 1024 * 1024))
    with pytest.raises(PermanentFailure, match=r"needs 65 MiB in .*, where 1 MiB are free; make room there"):
        wait(SQLiteStore(stored, reactor=reactor).start())
    connection = apsw.Connection(str(stored))
    assert connection.pragma("user_version") == version
    assert [path.name for path in stored.parent.glob("*before*")] == []


def test_a_new_store_is_not_copied(open_store, path):
    open_store()
    assert not list(path.parent.glob("*before*"))


def test_each_version_is_a_transaction_of_its_own():
    connection = apsw.Connection(":memory:")
    with pytest.raises(apsw.SQLError):
        migrate(connection, [["CREATE TABLE one (a)"], ["CREATE TABLE two (b)"], ["CREATE TABLE three (c)", "no SQL"]])
    assert connection.pragma("user_version") == 2
    tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_schema").fetchall()}
    assert tables == {"one", "two"}
    assert connection.pragma("application_id") == migration.APPLICATION_ID
