"""
Mending what can be mended without loss: what is counted is counted again, what nobody can reach is left to the sweep,
bodies without a hash get one of what is there.

Each is a transaction of its own, on a store that nobody else writes to. What is lost cannot be mended here; `findings`
says what to do then.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from hashlib import blake2b

from ....mail.annotation import THE_ACCOUNT
from ..bodies import CHUNK_OCTETS
from ..connection import WritingConnection
from ..integrity import HASH_OCTETS, body_hash
from .findings import Finding, Kind
from .mailboxes import counters_of

SLICE_BODIES = 100

_SET_COUNTERS = (
    "UPDATE mailbox SET messages = ?, unseen = ?, deleted = ?, size = ?, uid_next = ?, highest_modseq = ? "
    "WHERE account = ? AND mailbox = ?"
)
_SET_HELD = (
    "UPDATE account SET messages = (SELECT count(*) FROM entry WHERE account = :account), "
    "size = (SELECT coalesce(sum(size), 0) FROM entry WHERE account = :account) WHERE account = :account"
)
_SET_USES = (
    "UPDATE email SET uses = (SELECT count(*) FROM entry WHERE account = :account AND email = :email) + "
    "(SELECT count(*) FROM expunged WHERE account = :account AND email = :email) "
    "WHERE account = :account AND email = :email"
)
_ORPHAN = (
    "INSERT INTO orphan SELECT body FROM email WHERE account = :account AND email = :email AND uses = 0 "
    "ON CONFLICT DO NOTHING"
)
_WITHOUT_HASH = "SELECT body, content FROM body WHERE hash IS NULL AND in_files = 0 AND body > ? ORDER BY body LIMIT ?"
_SET_HASH = "UPDATE body SET hash = ? WHERE body = ?"
_CHUNK = "SELECT content FROM chunk WHERE body = ? AND number = ?"


def repair(connection: WritingConnection, finding: Finding) -> bool:
    """Mend what was found, durably. Returns whether it could be."""
    match finding.kind:
        case Kind.WRONG_COUNTER:
            _in_transaction(connection, lambda: _count(connection, *finding.key))
        case Kind.WRONG_USES:
            _in_transaction(connection, lambda: _count_uses(connection, *finding.key))
        case Kind.UNUSED_BODY:
            _in_transaction(connection, lambda: _orphan(connection, *finding.key))
        case Kind.NO_HASH:
            _hash_all(connection)
        case _:
            return False
    return True


def _in_transaction(connection: WritingConnection, work: Callable[[], None]) -> None:
    connection.begin()
    try:
        work()
        connection.commit()
    except BaseException:
        connection.rollback()
        raise


def _count(connection: WritingConnection, account: int, mailbox: int) -> None:
    if mailbox == THE_ACCOUNT:
        connection.run(_SET_HELD, {"account": account})
        return
    messages, unseen, deleted, size, uid_next, modseq = counters_of(connection, account, mailbox)
    kept = connection.one(
        "SELECT uid_next, highest_modseq FROM mailbox WHERE account = ? AND mailbox = ?", (account, mailbox)
    )
    # What was told to clients as the next or the highest never becomes less.
    highest = max(modseq, kept[1])
    counters = (messages, unseen, deleted, size, max(uid_next, kept[0]), highest)
    connection.run(_SET_COUNTERS, (*counters, account, mailbox))
    connection.run("UPDATE account SET modseq = ? WHERE account = ? AND modseq < ?", (highest, account, highest))


def _count_uses(connection: WritingConnection, account: int, email: int) -> None:
    key = {"account": account, "email": email}
    connection.run(_SET_USES, key)
    connection.run(_ORPHAN, key)
    connection.run("DELETE FROM email WHERE account = :account AND email = :email AND uses = 0", key)


def _orphan(connection: WritingConnection, body: int) -> None:
    connection.run("INSERT INTO orphan VALUES (?) ON CONFLICT DO NOTHING", (body,))


def _hash_all(connection: WritingConnection) -> None:
    after = 0
    while rows := connection.every(_WITHOUT_HASH, (after, SLICE_BODIES)):
        digests = [
            (_hash_of_chunks(connection, body) if content is None else body_hash(content), body)
            for body, content in rows
        ]
        _in_transaction(connection, partial(connection.run_many, _SET_HASH, digests))
        after = rows[-1][0]


def _hash_of_chunks(connection: WritingConnection, body: int) -> bytes:
    hashed, number = blake2b(digest_size=HASH_OCTETS), 0
    while (row := connection.find(_CHUNK, (body, number))) is not None:
        hashed.update(row[0])
        number += 1
        if len(row[0]) < CHUNK_OCTETS:
            break
    return hashed.digest()
