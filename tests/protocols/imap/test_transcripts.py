"""The dialogues in tests/transcripts/imap, whole and in pieces."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.examples.webmail import WithAccounts
from tests.store.postgres import database
from twisted_mail_node.protocols.imap import capability
from twisted_mail_node.store.completed import CompletedStore
from twisted_mail_node.store.maildir.tree import Tree
from twisted_mail_node.store.sql import SQLiteStore
from twisted_mail_node.store.sql.postgres import PostgresStore
from twisted_mail_node.testing.transcripts import needs_of, run_transcript

TRANSCRIPTS = Path(__file__).parents[2] / "transcripts" / "imap"
MESSAGES = TRANSCRIPTS / "messages"


ALL = {path: needs_of(path) for path in sorted(TRANSCRIPTS.glob("*.txt"))}
# What only our own stores have, and what is seen only where they are not.
OPTIONAL = ("annotations", "quota", "sharing")
PATHS = [path for path, needs in ALL.items() if not {f"no {door}" for door in OPTIONAL} & set(needs)]
PATHS_FOR_ANY_STORE = [path for path, needs in ALL.items() if not set(OPTIONAL) & set(needs)]


def run(path, piece, server_of, store_with=None, turns=1):
    with pytest.MonkeyPatch.context() as patch:
        return run_with(patch, path, piece, server_of, store_with, turns)


def run_with(patch, path, piece, server_of, store_with, turns):
    needs = needs_of(path)
    server = server_of(
        store_with,
        turns,
        delimiter="." if "delimiter ." in needs else "/",
        max_message_octets=2000,
        mistake_limit=5,
        comment="Shared comment",
        admin="mailto:postmaster@example.test",
        metadata_octets=40,
        metadata_entries=5,
        other_users="Other Users" if "sharing" in needs else "",
        administrators=("root@example.test",),
    )
    for need in needs:
        match need.split():
            case ["delimiter", "."] | ["annotations"] | ["no", "annotations" | "quota"]:
                pass
            case ["sharing"]:
                server.add("ann", "bob")
            case ["quota"]:
                server.add("root")
            case ["peer", host]:
                server.host = host
            case ["offered", name]:  # what is not complete yet, but for this
                patch.setattr(capability, "OFFERED", (*capability.OFFERED, name))
            case ["messages", *names]:
                server.deliver(*[(MESSAGES / name).read_bytes() for name in names])
            case _:
                raise AssertionError(f"nobody knows how to give {need!r}")
    run_transcript(path, server, piece)
    return server


@pytest.mark.parametrize("piece", [1, 2, 7, 1_000_000])
@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_transcript(path, piece, server_of):
    run(path, piece, server_of)


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_transcript_on_sqlite(path, server_of, tmp_path):
    run(path, 1_000_000, server_of, lambda reactor: SQLiteStore(tmp_path / "mail.sqlite", reactor=reactor)).stop()


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_transcript_on_maildirs(path, server_of, tmp_path):
    tree = Tree(tmp_path / "maildir")
    run(
        path,
        1_000_000,
        server_of,
        lambda reactor: SQLiteStore(tmp_path / "mail.sqlite", reactor=reactor, tree=tree),
        turns=5,
    ).stop()


@pytest.mark.postgres
@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_transcript_on_postgres(path, server_of, postgres_databases):
    dsn = database(postgres_databases).dsn
    run(path, 1_000_000, server_of, lambda reactor: PostgresStore(dsn, reactor=reactor)).stop()


@pytest.mark.parametrize("path", PATHS_FOR_ANY_STORE, ids=lambda path: path.stem)
def test_transcript_on_an_applications_store(path, server_of, tmp_path):
    def completed(reactor):
        return CompletedStore(WithAccounts(tmp_path / "webmail.sqlite", reactor=reactor), reactor=reactor)

    run(path, 1_000_000, server_of, completed).stop()
