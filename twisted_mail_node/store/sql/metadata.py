"""
Annotations: what readers and the writer do for IMetadata.

A row whose value is null tells that an annotation was taken away, or (of `/private/specialuse`, which is a column of
its mailbox) that it has changed; the last TOLD_ROWS of an account are kept.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from json import dumps

from ...mail.annotation import SPECIAL_USE, THE_ACCOUNT, Annotation, owner_of
from ...mail.changes import AnnotationChanges, ChangeKind
from ...mail.errors import NoSuchAccount, NoSuchMailbox, PermanentFailure, TooManyAnnotations
from ...mail.special_use import checked_use
from .connection import Connection
from .state import AccountRow, WriteState

TOLD_ROWS = 1000
"""Our own bound: sessions ask within moments."""

_SEEN = "account = ? AND mailbox = ? AND owner IN ('', ?) AND value IS NOT NULL"
_NAMES = f"SELECT name, length(value) FROM annotation WHERE {_SEEN}"
_ALL = "SELECT name, owner, value FROM annotation WHERE account = ? AND mailbox = ? AND value IS NOT NULL ORDER BY 2, 1"
_VALUES = (
    "SELECT mailbox, name, value FROM annotation WHERE account = ? AND owner IN ('', ?) AND value IS NOT NULL "
    "AND mailbox IN (SELECT value FROM numbers_in(?)) AND name IN (SELECT value FROM texts_in(?))"
)
_USES = (
    "SELECT mailbox, special_use FROM mailbox WHERE account = ? AND special_use IS NOT NULL "
    "AND mailbox IN (SELECT value FROM numbers_in(?))"
)
_CHANGED = (
    "SELECT mailbox, name, modseq FROM annotation WHERE account = ? AND owner IN ('', ?) AND modseq > ? ORDER BY modseq"
)
_SET = (
    "INSERT INTO annotation VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (account, mailbox, owner, name) "
    "DO UPDATE SET value = excluded.value, modseq = excluded.modseq"
)
_COUNT = "SELECT count(*) FROM annotation WHERE account = ? AND mailbox = ? AND owner = ? AND value IS NOT NULL"
_FORGET_TOLD = (
    "DELETE FROM annotation WHERE account = :account AND value IS NULL AND modseq <= "
    "(SELECT modseq FROM annotation WHERE account = :account AND value IS NULL "
    f"ORDER BY modseq DESC LIMIT 1 OFFSET {TOLD_ROWS})"
)

# What is said twice lets the partial index be taken.
_FORGET_USER = "DELETE FROM annotation WHERE owner = ? AND owner <> ''"


# -- in the readers' threads ----------------------------------------------------------------------------------


def names(connection: Connection, account: str, mailbox: int, user: str) -> dict[str, int]:
    """IMetadata.annotations."""
    number = _number(connection, account)
    _check(connection, number, mailbox)
    sizes = dict(connection.every(_NAMES, (number, mailbox, user)))
    if user == account:
        for _, use in connection.every(_USES, (number, dumps([mailbox]))):
            sizes[SPECIAL_USE] = len(use)
    return {name: sizes[name] for name in sorted(sizes)}


def values(
    connection: Connection, account: str, mailboxes: Collection[int], user: str, names: Collection[str]
) -> dict[int, dict[str, bytes]]:
    """IMetadata.annotation_values."""
    number = _number(connection, account)
    wanted = dumps(list(mailboxes))
    found: dict[int, dict[str, bytes]] = {mailbox: {} for mailbox in mailboxes}
    for mailbox, name, value in connection.every(_VALUES, (number, user, wanted, dumps(list(names)))):
        found[mailbox][name] = bytes(value)
    if SPECIAL_USE in names and user == account:
        for mailbox, use in connection.every(_USES, (number, wanted)):
            found[mailbox][SPECIAL_USE] = use.encode("ascii")
    return found


def changes(connection: Connection, account: str, user: str, since: int) -> AnnotationChanges:
    """IMetadata.annotation_changes."""
    row = connection.find("SELECT account, modseq FROM account WHERE name = ?", (account,))
    if row is None:
        raise NoSuchAccount("the account does not exist")
    found = connection.every(_CHANGED, (row[0], user, since))
    return AnnotationChanges(row[1], {(mailbox, name): modseq for mailbox, name, modseq in found})


def every_one(connection: Connection, account: str, mailbox: int) -> list[Annotation]:
    """IMetadata.all_annotations."""
    number = _number(connection, account)
    _check(connection, number, mailbox)
    return [Annotation(name, owner, bytes(value)) for name, owner, value in connection.every(_ALL, (number, mailbox))]


def _number(connection: Connection, account: str) -> int:
    row = connection.find("SELECT account FROM account WHERE name = ?", (account,))
    if row is None:
        raise NoSuchAccount("the account does not exist")
    return int(row[0])


def _check(connection: Connection, account: int, mailbox: int) -> None:
    if mailbox == THE_ACCOUNT:
        return
    if connection.find("SELECT 1 FROM mailbox WHERE account = ? AND mailbox = ?", (account, mailbox)) is None:
        raise NoSuchMailbox("the mailbox does not exist")


# -- in the writer's thread -----------------------------------------------------------------------------------


def annotate(
    state: WriteState, account: str, mailbox: int, user: str, values: Mapping[str, bytes | None], most: int
) -> int:
    """IMetadata.annotate."""
    row = state.find_account(account)
    if row is None:
        raise NoSuchAccount("the account does not exist")
    annotated = None if mailbox == THE_ACCOUNT else state.mailbox(row.id, mailbox)
    modseq = state.change_account(row, ChangeKind.METADATA)
    if annotated is not None:
        annotated.highest_modseq = modseq
        state.counters_changed(annotated)
    if mailbox != THE_ACCOUNT and SPECIAL_USE in values:
        _assign(state, row, mailbox, user, values[SPECIAL_USE], modseq)
        values = {name: value for name, value in values.items() if name != SPECIAL_USE}
    owners = sorted({owner_of(name, user) for name, value in values.items() if value is not None})
    before = {owner: _count(state, row.id, mailbox, owner) for owner in owners}
    state.run_many(
        _SET,
        [(row.id, mailbox, owner_of(name, user), name, value, modseq) for name, value in sorted(values.items())],
    )
    for owner in owners:
        if before[owner] < (after := _count(state, row.id, mailbox, owner)) > most:
            raise TooManyAnnotations(f"there may be {most} annotations, not {after}")
    state.run(_FORGET_TOLD, {"account": row.id})
    return modseq


def _count(state: WriteState, account: int, mailbox: int, owner: str) -> int:
    (count,) = state.connection.one(_COUNT, (account, mailbox, owner))
    return int(count)


def _assign(state: WriteState, account: AccountRow, mailbox: int, user: str, value: bytes | None, modseq: int) -> None:
    """Give a mailbox its special use, which is then nobody else's, or take it away."""
    if user != account.name:
        raise PermanentFailure("the special use of another user's mailbox cannot be set")
    use = checked_use(value.decode("ascii", "replace") if value else None)
    lost = state.connection.every(
        "SELECT mailbox FROM mailbox WHERE account = ? AND special_use = ? AND mailbox <> ?", (account.id, use, mailbox)
    )
    change = "UPDATE mailbox SET special_use = ? WHERE account = ? AND mailbox = ?"
    state.run_many(change, [(None, account.id, number) for (number,) in lost])
    state.run(change, (use, account.id, mailbox))
    state.run_many(
        _SET, [(account.id, number, user, SPECIAL_USE, None, modseq) for number in (mailbox, *(row[0] for row in lost))]
    )


def copied(state: WriteState, account: AccountRow, source: int, target: int) -> None:
    """INBOX was renamed: the new mailbox has the same annotations (RFC 5464 §4.1)."""
    state.run(
        "INSERT INTO annotation SELECT account, :target, owner, name, value, :modseq FROM annotation "
        "WHERE account = :account AND mailbox = :source AND value IS NOT NULL",
        {"account": account.id, "source": source, "target": target, "modseq": account.modseq},
    )


def mailbox_gone(state: WriteState, account: AccountRow, mailbox: int) -> None:
    """A mailbox was deleted."""
    state.run("DELETE FROM annotation WHERE account = ? AND mailbox = ?", (account.id, mailbox))


def account_gone(state: WriteState, account: AccountRow) -> None:
    """An account was removed: with it go the annotations of its mailboxes, and its user's own ones of others'."""
    state.run("DELETE FROM annotation WHERE account = ?", (account.id,))
    state.run(_FORGET_USER, (account.name,))
