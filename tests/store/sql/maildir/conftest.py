"""A store with Maildirs, and what other programs do to them, done by plain file operations."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from twisted_mail_node.store.maildir.tree import Tree
from twisted_mail_node.store.sql import SQLiteStore
from twisted_mail_node.testing.backend import SteeredReactor

ANN = "ann@example.test"


class Others:
    """Another program that works on one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._number = 0

    def make(self) -> None:
        for part in ("cur", "new", "tmp"):
            (self.folder / part).mkdir(parents=True)

    def deliver(self, content: bytes = b"Subject: hello\n\nhello\n", name: str = "", part: str = "new") -> Path:
        self._number += 1
        path = self.folder / "tmp" / (name or f"1600000000.{self._number}.elsewhere")
        path.write_bytes(content)
        target = self.folder / part / path.name
        path.rename(target)
        return target

    def names(self) -> list[str]:
        return sorted(f"{part}/{name}" for part in ("cur", "new") for name in os.listdir(self.folder / part))

    def reflag(self, flags: str, which: int = 0) -> Path:
        """Give the file other flags, as a mail program does."""
        path = self.folder / self.names()[which]
        target = self.folder / "cur" / f"{path.name.partition(':2,')[0]}:2,{flags}"
        path.rename(target)
        return target

    def remove(self, which: int = 0) -> None:
        (self.folder / self.names()[which]).unlink()


@pytest.fixture
def reactor():
    return SteeredReactor()


@pytest.fixture
def wait(reactor):
    return reactor.wait_for


@pytest.fixture
def root(tmp_path):
    return tmp_path / "maildir"


@pytest.fixture
def open_store(reactor, tmp_path, root):
    """Opens stores over the same file and Maildirs; those still open at the end are stopped."""
    opened = []

    def open_one(**settings):
        store = SQLiteStore(tmp_path / "mail.sqlite", reactor=reactor, tree=Tree(root), **settings)
        reactor.wait_for(store.start())
        opened.append(store)
        return store

    yield open_one
    for store in opened:
        reactor.wait_for(store.stop())
    assert reactor.getDelayedCalls() == []


@pytest.fixture
def store(open_store, wait):
    store = open_store()
    wait(store.create_account(ANN, [("Archive", None)]))
    return store


@pytest.fixture
def account(store, wait):
    return wait(store.account(ANN))


@pytest.fixture
def inbox(account, wait):
    return wait(account.mailbox("INBOX"))


@pytest.fixture
def others(store, root):
    return Others(root / ANN)


@pytest.fixture
def archive_of_others(store, root):
    return Others(root / ANN / ".Archive")
