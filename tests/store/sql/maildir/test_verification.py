"""Verifying looks at the files of messages as well."""

from __future__ import annotations

import pytest

from twisted_mail_node.store.maildir.tree import Tree
from twisted_mail_node.store.sql.sqlite.engine import SQLiteEngine
from twisted_mail_node.store.sql.sqlite.opening import Durability
from twisted_mail_node.store.sql.verification import Kind, Scope, verify
from twisted_mail_node.testing.samples import body, message, outgoing, place, transaction

from .conftest import ANN


@pytest.fixture
def found(store, wait, inbox, others, root, tmp_path):
    """What verifying finds in a store with a bit of everything."""
    content = message("x" * 10_000)
    parts = (place(ANN, prefix=b"Return-Path: <>\r\n"), place(ANN, "Archive"), outgoing("eve@elsewhere.test"))
    wait(store.deliver(transaction(*parts, bodies=(body(content),))))
    writer = store.stage_body()
    large = message("y" * 400_000)
    wait(writer.write(large))
    staged = wait(writer.finish(100, False))
    wait(store.deliver(transaction(place(ANN), bodies=(staged,))))
    others.deliver(name="1.a:2,S", part="cur")
    wait(inbox.status())

    def find(**scope):
        engine = SQLiteEngine(tmp_path / "mail.sqlite", Durability.OFF)
        return [
            (finding.kind, finding.place)
            for finding in verify(engine, Scope(**scope), lambda *progress: None, Tree(root))
        ]

    return find


def test_nothing_is_found_where_nothing_is_wrong(found):
    assert found() == found(fast=True) == found(account=ANN) == []


def test_a_file_that_is_gone_is_found(found, others):
    others.remove(0)
    assert found() == found(fast=True) == found(account=ANN) == [(Kind.MISSING_FILE, f"{ANN} INBOX UID 3")]


def test_a_file_that_is_another_is_found(found, others, archive_of_others):
    (name,) = archive_of_others.names()
    path = archive_of_others.folder / name
    octets = bytearray(path.read_bytes())
    octets[5_000] ^= 1
    path.write_bytes(octets)
    assert found() == [(Kind.DAMAGED_BODY, f"{ANN} Archive UID 1")]
    assert found(fast=True) == []
    path.write_bytes(octets[:-1])
    assert found() == found(fast=True) == [(Kind.INCOMPLETE_BODY, f"{ANN} Archive UID 1")]


def test_a_file_that_was_renamed_is_found_nothing_wrong_with(found, others):
    others.reflag("FS")
    assert found() == []
