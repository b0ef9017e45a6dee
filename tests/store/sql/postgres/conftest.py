from __future__ import annotations

import pytest

from tests.store.postgres import database
from twisted_mail_node.store.sql.postgres import PostgresStore
from twisted_mail_node.testing.backend import SteeredReactor

ANN = "ann@example.test"


@pytest.fixture
def reactor():
    return SteeredReactor()


@pytest.fixture
def wait(reactor):
    return reactor.wait_for


@pytest.fixture
def server(postgres_databases):
    """A database with empty tables."""
    return database(postgres_databases)


@pytest.fixture
def open_store(reactor, server):
    """Opens stores that share the database; those still open at the end are stopped."""
    opened = []

    def open_one(dsn=server.dsn, **settings):
        store = PostgresStore(dsn, reactor=reactor, **settings)
        reactor.wait_for(store.start())
        opened.append(store)
        return store

    yield open_one
    for store in opened:
        reactor.wait_for(store.stop())
    assert reactor.getDelayedCalls() == []


@pytest.fixture
def store(open_store):
    return open_store()


@pytest.fixture
def other(store, open_store):
    """Another node's store on the same database."""
    return open_store()


@pytest.fixture
def inbox(store, wait):
    wait(store.create_account(ANN, [("Archive", None)]))
    return wait(wait(store.account(ANN)).mailbox("INBOX"))
