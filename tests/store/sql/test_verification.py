"""What verifying finds, and that it finds nothing where nothing is wrong."""

from __future__ import annotations

from pathlib import Path

import apsw
import pytest

from twisted_mail_node.mail.errors import NoSuchAccount
from twisted_mail_node.mail.uid_set import UIDSet
from twisted_mail_node.store.sql.sqlite.engine import SQLiteEngine
from twisted_mail_node.store.sql.sqlite.opening import Durability
from twisted_mail_node.store.sql.sqlite.page_checksums import checking_vfs
from twisted_mail_node.store.sql.verification import Kind, Scope, verify
from twisted_mail_node.testing.samples import body, flags, message, outgoing, place, transaction

from .schemas.make import fill

ANN = "ann@example.test"
LARGE = message("x" * 400_000)


def findings(path: Path, scope: Scope = Scope()):  # noqa: B008  a value
    return list(verify(SQLiteEngine(path, Durability.OFF), scope, lambda *progress: None))


@pytest.fixture
def filled(store, inbox, wait, path):
    """A store with a bit of everything, stopped."""
    for number in range(5):
        content = message(f"Message {number} " + "y" * 5_000)
        parts = (place(ANN), place(ANN, "Archive"), outgoing("eve@elsewhere.test"))
        wait(store.deliver(transaction(*parts, bodies=(body(content),))))
    writer = store.stage_body()
    wait(writer.write(LARGE))
    staged = wait(writer.finish(100, False))
    wait(store.deliver(transaction(place(ANN), bodies=(staged,))))
    wait(inbox.append([(body(), flags("\\Seen", "\\Deleted"), (0, 0))]))
    wait(inbox.expunge(UIDSet.span(2, 3), only_deleted=False))
    wait(store.stop())
    return path


def change(path, *statements):
    connection = apsw.Connection(str(path), vfs=checking_vfs())
    for statement in statements:
        connection.execute(statement)
    connection.close()


def test_nothing_is_found_where_nothing_is_wrong(filled):
    assert findings(filled) == []
    assert findings(filled, Scope(fast=True)) == []
    assert findings(filled, Scope(account=ANN)) == []


def test_nothing_is_found_while_the_store_is_used(store, wait, reactor, path):
    wait(_started(fill(store)))
    assert findings(path) == []


def test_an_account_that_is_not_there_is_told(filled):
    with pytest.raises(NoSuchAccount):
        findings(filled, Scope(account="bob@example.test"))


@pytest.mark.parametrize(
    ("statement", "kind", "words"),
    [
        ("UPDATE mailbox SET messages = messages + 1 WHERE name = 'INBOX'", Kind.WRONG_COUNTER, "is 6, counted 5"),
        ("UPDATE mailbox SET unseen = 0 WHERE name = 'INBOX'", Kind.WRONG_COUNTER, "unseen is 0, counted 4"),
        ("UPDATE mailbox SET deleted = 9 WHERE name = 'INBOX'", Kind.WRONG_COUNTER, "deleted is 9, counted 1"),
        ("UPDATE mailbox SET size = 1 WHERE name = 'INBOX'", Kind.WRONG_COUNTER, "size is 1"),
        ("UPDATE mailbox SET uid_next = 3 WHERE name = 'INBOX'", Kind.WRONG_COUNTER, "uid_next is 3, at the least 8"),
        ("UPDATE mailbox SET highest_modseq = 1 WHERE name = 'INBOX'", Kind.WRONG_COUNTER, "highest_modseq is 1"),
        ("UPDATE account SET modseq = 2", Kind.WRONG_COUNTER, "the account's modseq is 2"),
        ("UPDATE account SET messages = 3", Kind.WRONG_COUNTER, "messages and size are 3 and"),
        ("UPDATE account SET size = size + 1", Kind.WRONG_COUNTER, "messages and size are"),
        ("UPDATE email SET uses = 7 WHERE email = 1", Kind.WRONG_USES, "7 entries show it, counted 2"),
        ("DELETE FROM email WHERE email = 1", Kind.MISSING_EMAIL, "its email is not there"),
        ("DELETE FROM body WHERE body = 1", Kind.MISSING_BODY, "body 1 is not there"),
        ("UPDATE entry SET size = size - 1 WHERE uid = 1", Kind.WRONG_SIZE, "octets, its body has"),
        ("UPDATE entry SET guid = zeroblob(16) WHERE mailbox = 1", Kind.SAME_GUID, "that of 5 entries"),
        ("UPDATE body SET size = size + 1 WHERE body = 1", Kind.INCOMPLETE_BODY, "octets in place of"),
        ("UPDATE body SET header_size = size + 1 WHERE body = 1", Kind.INCOMPLETE_BODY, "a header of"),
        ("UPDATE body SET content = zeroblob(size) WHERE body = 1", Kind.DAMAGED_BODY, "its hash differs"),
        ("DELETE FROM chunk WHERE number = 1", Kind.INCOMPLETE_BODY, "chunk 1 is not there"),
        ("DELETE FROM chunk WHERE number = 3", Kind.INCOMPLETE_BODY, "octets in place of"),
        ("UPDATE chunk SET content = zeroblob(131072) WHERE number = 1", Kind.DAMAGED_BODY, "its hash differs"),
        ("UPDATE body SET hash = NULL WHERE body < 4", Kind.NO_HASH, "3 of them"),
        ("INSERT INTO body VALUES (99, 0, 0, 0, x'', NULL, 0)", Kind.UNUSED_BODY, "0 octets"),
        ("UPDATE numbering SET body = 2", Kind.NUMBER_GIVEN_TWICE, "the last one given is 2"),
        ("UPDATE numbering SET email = 2", Kind.NUMBER_GIVEN_TWICE, "the last one given is 2"),
        ("UPDATE numbering SET item = 2", Kind.NUMBER_GIVEN_TWICE, "the last one given is 2"),
        ("UPDATE numbering SET uid_validity = 2", Kind.NUMBER_GIVEN_TWICE, "the last one given is 2"),
        ("DELETE FROM mailbox WHERE name = 'Archive'", Kind.STRAY_ROWS, "rows of the table entry"),
        (
            "INSERT INTO user (name, password_hash) VALUES ('nobody@example.test', '!')",
            Kind.NO_ACCOUNT,
            "no account of that name",
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_is_found(filled, statement, kind, words):
    change(filled, statement)
    found = findings(filled)
    assert kind in {finding.kind for finding in found}
    assert words in " ".join(finding.detail for finding in found if finding.kind is kind)


def test_what_is_still_to_be_swept_is_nothing_wrong(store, inbox, wait, path):
    wait(inbox.append([(body(), flags(), (0, 0))] * 3))
    account = wait(store.account(ANN))
    wait(account.delete("Archive"))
    wait(store.create_account("bob@example.test"))
    bob = wait(wait(store.account("bob@example.test")).mailbox("INBOX"))
    wait(bob.append([(body(), flags(), (0, 0))]))
    wait(store.remove_account("bob@example.test"))
    wait(store.stage_body().write(LARGE))
    wait(store.stop())
    assert findings(path) == []


def test_a_damaged_page_of_a_body_is_named_with_who_shows_it(filled):
    # In the page of body 4 alone: its own overflow page, behind what it has in common with others.
    flip(filled, b"y" * 3_000 + b"\r\n", 4)
    found = findings(filled)
    assert [finding.kind for finding in found] == [Kind.DAMAGED_BODY]
    assert found[0].place == f"body 4: {ANN} Archive UID 4, INBOX UID 4; queue item 4"


def test_bodies_that_share_a_damaged_page_are_each_named(filled):
    flip(filled, b"Message 3 ", 1)
    found = [finding for finding in findings(filled) if finding.kind is Kind.DAMAGED_BODY]
    assert f"body 4: {ANN} Archive UID 4, INBOX UID 4; queue item 4" in {finding.place for finding in found}


def flip(path, before, occurrence):
    """Change one octet in the middle of these."""
    content = bytearray(path.read_bytes())
    at = -1
    for _ in range(occurrence):
        at = content.index(before, at + 1)
    content[at + len(before) // 2] ^= 1
    path.write_bytes(content)


def _started(coroutine):
    from twisted.internet.defer import Deferred

    return Deferred.fromCoroutine(coroutine)
