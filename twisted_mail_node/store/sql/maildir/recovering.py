"""
What an earlier process did not come to do, in the writer's thread, at the start.

The index says what was meant: folders that were to be made, renamed or removed are marked, and messages that were on
their way are in the stage of a process that has ended. So a start takes as long as there was under way, however much
mail there is.
"""

from __future__ import annotations

import os
from contextlib import suppress

from twisted.logger import Logger

from ...maildir.listing import file_in
from ...maildir.names import account_folder, account_of
from ...maildir.tree import abandoned
from ..state import WriteState
from .adopting import files_of
from .steps import FORGET_FOLDER, DropFolder, MakeFolder, MoveFolder

_log = Logger()


def recover_folders(state: WriteState) -> None:
    """Plan what is left to do to folders."""
    files = files_of(state)
    rows = state.connection.every(
        "SELECT f.account, f.mailbox, f.name, f.target, a.name FROM folder f LEFT JOIN account a "
        "ON a.account = f.account WHERE f.target IS NOT NULL"
    )
    for account, mailbox, name, target, account_name in rows:
        if not mailbox:
            if _is_account(state, bytes(name)):
                state.run(FORGET_FOLDER, (account, 0))
            else:
                files.go_on(DropFolder(account, 0, os.path.join(files.tree.root, bytes(name))))
        elif account_name is None:
            state.run(FORGET_FOLDER, (account, mailbox))
        elif not target:
            path = files.tree.folder(account_name, bytes(name)) if name else files.tree.gone
            if name and not _is_mailbox(state, account, mailbox, bytes(name)):
                files.go_on(DropFolder(account, mailbox, path))
            else:
                state.run(FORGET_FOLDER, (account, mailbox))
        elif name is None:
            path = files.tree.folder(account_name, bytes(target))
            files.go_on(MakeFolder(account, mailbox, path, bytes(target)))
        else:
            before, after = (files.tree.folder(account_name, bytes(part)) for part in (name, target))
            files.go_on(MoveFolder(account, mailbox, before, after, bytes(name), bytes(target)))


def _is_account(state: WriteState, folder: bytes) -> bool:
    """Whether an account that was made since has the folder of one that was removed: its mail is not to go."""
    name = account_of(folder)
    if name is not None:
        return state.connection.find("SELECT 1 FROM account WHERE name = ?", (name,)) is not None
    # Those have 240 octets at least; a character is four of them at most.
    long_names = state.connection.every("SELECT name FROM account WHERE length(name) >= 60")
    return any(account_folder(name) == folder for (name,) in long_names)


def _is_mailbox(state: WriteState, account: int, mailbox: int, folder: bytes) -> bool:
    """The same of mailboxes."""
    return (
        state.connection.find(
            "SELECT 1 FROM folder WHERE account = ? AND mailbox <> ? AND ((name = ? AND target IS NULL) OR target = ?)",
            (account, mailbox, folder, folder),
        )
        is not None
    )


def recover_messages(state: WriteState) -> None:
    """Bring messages that were committed where they belong, and remove those that were not."""
    files = files_of(state)
    for stage, messages in abandoned(files.tree):
        for account, base in messages:
            path = os.path.join(stage, b"%d_%s" % (account, base))
            try:
                _recover(state, account, base, path)
            except OSError as error:
                _log.error("{path} cannot be brought into its mailbox: {error}", path=os.fsdecode(path), error=error)


def _recover(state: WriteState, account: int, base: bytes, path: bytes) -> None:
    files = files_of(state)
    row = state.connection.find(
        "SELECT f.mailbox, f.uid, f.tail, d.name, a.name, EXISTS (SELECT 1 FROM entry e WHERE e.account = f.account "
        "AND e.mailbox = f.mailbox AND e.uid = f.uid) FROM file f "
        "LEFT JOIN folder d ON d.account = f.account AND d.mailbox = f.mailbox "
        "LEFT JOIN account a ON a.account = f.account WHERE f.account = ? AND f.base = ?",
        (account, base),
    )
    if row is None or row[3] is None or row[4] is None:
        with suppress(FileNotFoundError):
            os.unlink(path)
        return
    mailbox, uid, tail, folder_name, account_name, lives = row
    if not lives:
        os.rename(path, files.tree.gone_file(account, mailbox, uid))
        return
    folder = files.tree.folder(account_name, bytes(folder_name))
    if not os.path.isdir(folder) and os.path.isdir(files.tree.account(account_name)):
        files.tree.make_maildir(folder)
    os.rename(path, file_in(folder, base, bytes(tail)))
