"""
What others may do with mailboxes: what readers and the writer do for IACL.

Neighbours: `mail.rights` for what rights of several identifiers come to; `sharing` copies between accounts.
"""

from __future__ import annotations

from ...mail.changes import ChangeKind, MailboxInfo
from ...mail.errors import NoSuchAccount, NoSuchMailbox, PermanentFailure
from ...mail.mailbox_name import SEPARATOR, canonical, listing_key, parents
from ...mail.rights import (
    ANYONE,
    NEGATIVE,
    NO_RIGHTS,
    Right,
    RightsChange,
    SharedMailbox,
    changed,
    effective,
    identifiers_of,
    letters_of,
    rights_of,
)
from .connection import Connection
from .state import AccountRow, WriteState

_ACL = (
    "SELECT r.identifier, r.rights FROM mailbox m LEFT JOIN acl r ON r.account = m.account AND r.mailbox = m.mailbox "
    "WHERE m.account = ? AND m.mailbox = ? ORDER BY r.identifier"
)
_FIND = (
    "SELECT m.mailbox, r.identifier, r.rights FROM account a JOIN mailbox m ON m.account = a.account "
    "JOIN acl r ON r.account = m.account AND r.mailbox = m.mailbox AND r.identifier IN (?, ?, ?, ?) "
    "WHERE a.name = ? AND m.name = ?"
)
_RIGHTS = (
    "SELECT r.identifier, r.rights FROM account a JOIN acl r ON r.account = a.account AND r.mailbox = ? "
    "AND r.identifier IN (?, ?, ?, ?) WHERE a.name = ?"
)
_NAME_EXISTS = "SELECT 1 FROM account a JOIN mailbox m ON m.account = a.account AND m.name = ? WHERE a.name = ?"
_SHARED = (
    "SELECT a.name, m.mailbox, m.name, m.uid_validity, m.special_use, r.identifier, r.rights "
    "FROM acl r JOIN account a ON a.account = r.account "
    "JOIN mailbox m ON m.account = r.account AND m.mailbox = r.mailbox "
    "WHERE r.identifier IN (?, ?, ?, ?) AND a.name <> ?"
)
_SET = (
    "INSERT INTO acl VALUES (?, ?, ?, ?) ON CONFLICT (account, mailbox, identifier) "
    "DO UPDATE SET rights = excluded.rights"
)
_INHERIT = (
    "INSERT INTO acl SELECT r.account, :made, r.identifier, r.rights FROM mailbox m "
    "JOIN acl r ON r.account = m.account AND r.mailbox = m.mailbox WHERE m.account = :account AND m.name = :parent"
)


# -- in the readers' threads ----------------------------------------------------------------------------------


def acl(connection: Connection, account: str, mailbox: int) -> dict[str, Right]:
    """IACL.acl."""
    number = connection.find("SELECT account FROM account WHERE name = ?", (account,))
    if number is None:
        raise NoSuchAccount("the account does not exist")
    rows = connection.every(_ACL, (number[0], mailbox))
    if not rows:
        raise NoSuchMailbox("the mailbox does not exist")
    return {identifier: rights_of(letters) for identifier, letters in rows if identifier is not None}


def numbers_of(connection: Connection, account: str, other: str) -> list[int]:
    """The numbers of two accounts, or of one. Raises NoSuchMailbox, where none of them has a mailbox any more."""
    rows = connection.every("SELECT account FROM account WHERE name IN (?, ?)", (account, other))
    if not rows:
        raise NoSuchMailbox("the mailbox does not exist")
    return [row[0] for row in rows]


def find_shared(connection: Connection, account: str, name: str, user: str) -> tuple[int, Right]:
    """IACL.find_shared."""
    rows = connection.every(_FIND, (*identifiers_of(user), account, canonical(name)))
    rights = effective({identifier: rights_of(letters) for _, identifier, letters in rows}, user)
    if not rights:
        raise NoSuchMailbox("the mailbox does not exist")
    return rows[0][0], rights


def rights_in(connection: Connection, account: str, mailbox: int, user: str) -> Right:
    """IACL.rights_in."""
    rows = connection.every(_RIGHTS, (mailbox, *identifiers_of(user), account))
    return effective({identifier: rights_of(letters) for identifier, letters in rows}, user)


def rights_above(connection: Connection, account: str, name: str, user: str) -> Right:
    """IACL.rights_above."""
    for parent in reversed(parents(canonical(name))):
        if connection.find(_NAME_EXISTS, (parent, account)) is not None:
            rows = connection.every(_FIND, (*identifiers_of(user), account, parent))
            return effective({identifier: rights_of(letters) for _, identifier, letters in rows}, user)
    return NO_RIGHTS


def shared_with(connection: Connection, user: str) -> list[SharedMailbox]:
    """IACL.shared_with."""
    infos: dict[tuple[str, int], MailboxInfo] = {}
    lists: dict[tuple[str, int], dict[str, Right]] = {}
    for account, mailbox, name, validity, use, identifier, letters in connection.every(
        _SHARED, (*identifiers_of(user), user)
    ):
        infos[account, mailbox] = MailboxInfo(mailbox, name, validity, use)
        lists.setdefault((account, mailbox), {})[identifier] = rights_of(letters)
    shared = [SharedMailbox(key[0], infos[key], effective(lists[key], user)) for key in infos]
    return sorted(
        (mailbox for mailbox in shared if mailbox.rights),
        key=lambda mailbox: (mailbox.account, listing_key(mailbox.info.name)),
    )


# -- in the writer's thread -----------------------------------------------------------------------------------


def change_rights(
    state: WriteState, account: str, mailbox: int, identifier: str, change: RightsChange, rights: Right
) -> int:
    """IACL.change_rights."""
    row = state.find_account(account)
    if row is None:
        raise NoSuchAccount("the account does not exist")
    state.mailbox(row.id, mailbox)
    who = identifier.removeprefix(NEGATIVE)
    if who == account:
        raise PermanentFailure("the owner may always do everything")
    if who != ANYONE and state.connection.find("SELECT 1 FROM account WHERE name = ?", (who,)) is None:
        raise PermanentFailure("there is no such user")
    key = (row.id, mailbox, identifier)
    found = state.connection.find("SELECT rights FROM acl WHERE account = ? AND mailbox = ? AND identifier = ?", key)
    after = changed(rights_of(found[0]) if found else NO_RIGHTS, change, rights)
    if after:
        state.run(_SET, (*key, letters_of(after)))
    else:
        state.run("DELETE FROM acl WHERE account = ? AND mailbox = ? AND identifier = ?", key)
    return state.change_account(row, ChangeKind.RIGHTS)


def inherited(state: WriteState, account: AccountRow, mailbox: int, name: str) -> None:
    """A mailbox was made: it has the list of the one above it (RFC 4314 §4)."""
    parent = name.rpartition(SEPARATOR)[0]
    if parent:
        state.run(_INHERIT, {"made": mailbox, "account": account.id, "parent": parent})


def mailbox_gone(state: WriteState, account: AccountRow, mailbox: int) -> None:
    """A mailbox was deleted (RFC 4314 §4)."""
    state.run("DELETE FROM acl WHERE account = ? AND mailbox = ?", (account.id, mailbox))


def account_gone(state: WriteState, account: AccountRow) -> None:
    """An account was removed: a later one of that name has none of its rights."""
    state.run("DELETE FROM acl WHERE account = ?", (account.id,))
    state.run("DELETE FROM acl WHERE identifier IN (?, ?)", (account.name, NEGATIVE + account.name))
