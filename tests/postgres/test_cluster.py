from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from ..integration.processes import eventually
from .cluster import Cluster, is_alive

pytestmark = pytest.mark.postgres


@pytest.fixture(scope="module")
def server():
    with Cluster(durable=True) as server:
        yield server


@pytest.fixture
def table(server):
    """A server with an empty table."""
    with server.connect() as connection:
        connection.execute("DROP TABLE IF EXISTS said; CREATE TABLE said (word TEXT)")
    return server


def say(dsn, word):
    with psycopg.connect(dsn) as connection:
        connection.execute("INSERT INTO said VALUES (%s)", [word])


def words(server):
    with server.connect() as connection:
        return [word for (word,) in connection.execute("SELECT word FROM said")]


def test_what_was_committed_is_there_after_a_kill_and_what_was_not_is_gone(table):
    say(table.dsn(), "committed")
    session = psycopg.connect(table.dsn())
    session.execute("INSERT INTO said VALUES ('open')")
    backend = session.info.backend_pid
    table.kill()
    assert not is_alive(backend)
    with pytest.raises(psycopg.OperationalError):
        table.connect()
    table.start()
    assert words(table) == ["committed"]


def test_a_fast_stop_cuts_open_sessions(table):
    session = psycopg.connect(table.dsn())
    table.restart()
    with pytest.raises(psycopg.OperationalError):
        session.execute("SELECT 1")
    assert words(table) == []


def test_a_synchronous_standby_that_is_promoted_has_every_commit_and_takes_new_ones():
    with Cluster(durable=True) as primary:
        with primary.connect() as connection:
            connection.execute("CREATE TABLE said (word TEXT)")
        standby = primary.standby(synchronous=True)
        try:
            # As a node is told of both: whichever can be written to.
            both = primary.dsn(
                host="127.0.0.1,127.0.0.1", port=f"{standby.port},{primary.port}", target_session_attrs="read-write"
            )
            say(both, "before")
            primary.kill()
            standby.promote()
            say(both, "after")
            assert words(standby) == ["before", "after"]
        finally:
            standby.remove()


def test_a_commit_is_not_answered_before_the_synchronous_standby_has_it():
    with Cluster(durable=True) as primary, ThreadPoolExecutor(1) as other:
        with primary.connect() as connection:
            connection.execute("CREATE TABLE said (word TEXT)")
        standby = primary.standby(synchronous=True)
        try:
            with standby.deaf():
                commit = other.submit(say, primary.dsn(), "late")
                eventually(lambda: primary.has_unanswered_commits() or commit.done())
                assert not commit.done()
            commit.result(20)
            assert not primary.has_unanswered_commits()
        finally:
            standby.remove()


def test_removal_leaves_neither_process_nor_folder():
    with Cluster() as cluster, cluster.connect() as connection:
        backend = connection.info.backend_pid
    assert not cluster.folder.exists()
    assert not is_alive(backend)
