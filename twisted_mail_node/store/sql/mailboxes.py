"""
The tree of an account's mailboxes, in the writer's thread: what is there, and new ones.

Neighbours: `account` and `restoring`, which say what is to be made.
"""

from __future__ import annotations

from collections.abc import Sequence

from ...mail.changes import ChangeKind
from . import acl
from .state import AccountRow, MailboxRow, WriteState


def names_of(state: WriteState, account: AccountRow) -> set[str]:
    """The names of all mailboxes of the account."""
    return {row[0] for row in state.connection.every("SELECT name FROM mailbox WHERE account = ?", (account.id,))}


def make(state: WriteState, account: AccountRow, names: Sequence[str], special_use: str | None) -> MailboxRow:
    """Make mailboxes by one change; the last has the special use, and is returned."""
    modseq = state.change_account(account, ChangeKind.MAILBOXES)
    for name in names:
        account.last_mailbox += 1
        if state.files is not None:
            state.files.folder_made(state, account, account.last_mailbox, name)
        state.run(
            "INSERT INTO mailbox VALUES (?, ?, ?, ?, ?, 1, 0, 0, 0, 0, ?, 0)",
            (
                account.id,
                account.last_mailbox,
                name,
                state.new_uid_validity(),
                special_use if name == names[-1] else None,
                modseq,
            ),
        )
        acl.inherited(state, account, account.last_mailbox, name)
    return state.mailbox(account.id, account.last_mailbox)
