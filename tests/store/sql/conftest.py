from __future__ import annotations

import os
from pathlib import Path

import pytest

import twisted_mail_node
from twisted_mail_node.store.sql import SQLiteStore
from twisted_mail_node.testing.backend import SteeredReactor


@pytest.fixture
def reactor():
    return SteeredReactor()


@pytest.fixture
def package_environment():
    """The environment of a process that can import the package, installed or not."""
    return {**os.environ, "PYTHONPATH": str(Path(twisted_mail_node.__file__).parents[1])}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "mail.sqlite"


@pytest.fixture
def wait(reactor):
    return reactor.wait_for


@pytest.fixture
def open_store(reactor, path):
    """Opens stores over the same file; those still open at the end are stopped."""
    opened = []

    def open_one(**settings):
        store = SQLiteStore(path, reactor=reactor, **settings)
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
def inbox(store, wait):
    wait(store.create_account("ann@example.test", [("Archive", None)]))
    account = wait(store.account("ann@example.test"))
    return wait(account.mailbox("INBOX"))
