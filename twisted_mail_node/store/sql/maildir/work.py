"""
What a batch of the writer does to files, in the writer's thread: before its commit messages are written and made
durable in the stage, after it they come into their folders, and all else happens that the batch said.

Part of a batch that is undone takes along what it planned. Neighbours: `steps` is what is done after the commit,
`writing` how files are made durable, several at a time.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from twisted.logger import Logger

from ....mail.errors import TemporaryFailure
from ....mail.flags import NO_FLAGS, Flags, flags_of
from ....mail.maildir_name import info_of, sizes_in
from ....mail.rights import ALL_RIGHTS, Right, allowed
from ....mail.status import EnhancedStatus
from ....mail.uid_set import UIDSet
from ...maildir.keywords import Letters
from ...maildir.listing import IN_NEW, Stamps, file_in, found_again
from ...maildir.names import NewNames, folder_of
from ...maildir.tree import Stage, Tree
from ..connection import Value, WritingConnection
from ..selection import bindings_of, rows_of
from .incoming import INSERT_FILE
from .steps import (
    Arrive,
    Doing,
    DropFolder,
    Key,
    Learned,
    Leave,
    MakeFolder,
    MoveFolder,
    Retail,
    Step,
    Unlink,
)
from .writing import Pieces, Writing

if TYPE_CHECKING:
    from ..state import AccountRow, MailboxRow, WriteState

DROPPED = b""
"""The target of a folder that is to go."""

# Few rows have a target, and they have an index.
_DROPPED_ACCOUNT = "SELECT account FROM folder WHERE target IS NOT NULL AND mailbox = 0 AND name = ? AND target = ?"
_DROPPED_MAILBOX = "SELECT mailbox FROM folder WHERE target IS NOT NULL AND account = ? AND name = ? AND target = ?"

MAX_FOLDERS = 50_000
"""Our own bound on paths that are remembered; all are forgotten when it is reached."""

Row = tuple[Value, ...]


class FileWork:
    """
    See the module. It outlives a lost connection of the writer.

    `tails` has where files are by now whose rows do not say so yet; readers look there. `note` is told of each path
    before we change it.
    """

    _log = Logger()

    def __init__(self, tree: Tree, stamps: Stamps, note: Callable[[bytes], None]) -> None:
        self.tree = tree
        self.tails: dict[Key, bytes] = {}
        self._stamps = stamps
        self._note = note
        self._stage = Stage(tree)
        self._names = NewNames()
        self._letters = Letters()
        self._writing = Writing(tree.file_mode)
        self._folders: dict[tuple[int, int], bytes] = {}
        self._steps: list[Step] = []
        self._staged: list[bytes] = []
        self._kept_steps = self._kept_staged = 0
        self._learned: list[Learned] = []
        self._telling = 0
        self._takes_away = True

    # -- life ------------------------------------------------------------------------------------------------

    def open(self) -> None:
        """Make the places of our own. Raises PermanentFailure, OSError."""
        self.tree.make()
        self._stage.open()

    def close(self) -> None:
        """The writer has ended."""
        self._writing.close()
        self._stage.close()

    # -- life of a batch -------------------------------------------------------------------------------------

    def begin(self, connection: WritingConnection) -> None:
        """A transaction has begun: it also writes how the files are now."""
        self._telling = len(self._learned)
        for statement in {statement for statement, _ in self._learned}:
            connection.run_many(statement, [row for what, row in self._learned if what == statement])

    def part_done(self) -> None:
        """A part of the transaction stays."""
        self._kept_steps, self._kept_staged = len(self._steps), len(self._staged)

    def part_undone(self) -> None:
        """A part was undone."""
        self._drop(self._staged[self._kept_staged :])
        del self._steps[self._kept_steps :], self._staged[self._kept_staged :]
        self._folders.clear()

    def write(self) -> None:
        """Make durable what is to be committed. Raises TemporaryFailure."""
        if not self._staged:
            return
        try:
            self._writing.finish()
            self._stage.sync()
        except OSError as error:
            raise failure_of(error) from error

    def undone(self) -> None:
        """The transaction was undone, or never was."""
        self._writing.forget()
        self._drop(self._staged)
        self._telling = 0
        self._folders.clear()
        self._clear()

    def unknown(self) -> None:
        """Nobody knows what became of the transaction: what is staged is put right by the next start."""
        self._clear()

    def committed(self) -> None:
        """The transaction is durable: do what it said."""
        told, self._learned = self._learned[: self._telling], self._learned[self._telling :]
        self._telling = 0
        for statement, values in told:
            self._told(statement, values)
        if not self._steps:
            self._clear()
            return
        doing = Doing(self.tree, self._stamps, self._note)
        for step in self._steps:
            try:
                step.do(doing)
            except OSError as error:
                self._log.error("a file of a mailbox cannot be changed: {step}: {error}", step=step, error=error)
        doing.finish()
        self._learned += doing.learned
        self.tails.update(doing.tails)
        if any(isinstance(step, MoveFolder | DropFolder) for step in self._steps):
            self._folders.clear()
        self._clear()

    def _told(self, statement: str, values: tuple[Value, ...]) -> None:
        if statement.startswith("UPDATE file"):
            tail, account, mailbox, uid = values
            key = int(account or 0), int(mailbox or 0), int(uid or 0)
            # Unless it has been renamed once more since.
            if self.tails.get(key) == tail:
                del self.tails[key]

    def _clear(self) -> None:
        self._steps.clear()
        self._staged.clear()
        self._kept_steps = self._kept_staged = 0
        if len(self._folders) > MAX_FOLDERS:
            self._folders.clear()

    def _drop(self, staged: Sequence[bytes]) -> None:
        for path in staged:
            self._writing.drop(path)
            with suppress(OSError):
                os.unlink(path)

    def settle(self, connection: WritingConnection) -> None:
        """Write how the files are now, outside of any batch: the writer ends."""
        if self._learned:
            connection.begin()
            self.begin(connection)
            connection.commit()
            self.committed()

    # -- messages that come ----------------------------------------------------------------------------------

    def arrive(
        self, state: WriteState, mailbox: MailboxRow, uid: int, flags: Flags, date: int, size: int, pieces: Pieces
    ) -> Row:
        """A message of these octets comes. Returns the row that says so. Raises TemporaryFailure."""
        base = self._names.new(size)
        folder = self.folder(state, mailbox)
        tail = self._tail(folder, flags)
        account = mailbox.account.id
        path = self._stage.file(account, base)
        self._staged.append(path)
        try:
            self._writing.add(path, date, pieces)
        except OSError as error:
            raise failure_of(error) from error
        self._steps.append(Arrive((account, mailbox.id, uid), path, folder, base, tail))
        return account, mailbox.id, uid, base, tail

    def copied(
        self,
        state: WriteState,
        source: MailboxRow,
        target: MailboxRow,
        uids: Sequence[int],
        first_uid: int,
        rights: Right = ALL_RIGHTS,
    ) -> None:
        """
        Messages were copied: these UIDs, ascending, became those from `first_uid` on, with the flags that the rights
        allow. Raises TemporaryFailure.
        """
        new_uid = {uid: first_uid + position for position, uid in enumerate(uids)}
        rows: list[Row] = []
        target_folder = self.folder(state, target)
        account = target.account.id
        for uid, base, tail, bits, keywords in self._files(state, source, UIDSet.of_ascending(list(uids))):
            path = self._link(state, source, account, uid, base, tail)
            if path is None:
                continue
            copy, staged = path
            copy_tail = self._tail(target_folder, allowed(flags_of(bits, keywords), rights))
            key = account, target.id, new_uid[uid]
            self._steps.append(Arrive(key, staged, target_folder, copy, copy_tail))
            rows.append((*key, copy, copy_tail))
        state.run_many(INSERT_FILE, rows)

    def _link(
        self, state: WriteState, source: MailboxRow, receiver: int, uid: int, base: bytes, tail: bytes
    ) -> tuple[bytes, bytes] | None:
        """Stage a message once more for an account under a new name: (base, path). None where it is gone."""
        sizes = sizes_in(base)
        account = source.account.id
        copy = self._names.new(sizes.on_wire, sizes.stored)
        staged = self._stage.file(receiver, copy)
        original = self._stage.file(account, base)
        if self._writing.same_again(original, staged):
            self._staged.append(staged)
            return copy, staged
        folder = self.folder(state, source)
        self._staged.append(staged)
        try:
            for path in (original, file_in(folder, base, self.tails.get((account, source.id, uid), tail))):
                with suppress(FileNotFoundError):
                    self._writing.link(path, staged)
                    return copy, staged
            found = found_again(folder, (base,))
            if base in found:
                with suppress(FileNotFoundError):
                    self._writing.link(file_in(folder, base, found[base]), staged)
                    return copy, staged
        except OSError as error:
            raise failure_of(error) from error
        self._staged.pop()
        return None

    # -- messages that change, and that go -------------------------------------------------------------------

    def flagged(self, state: WriteState, mailbox: MailboxRow, flags: dict[int, Flags]) -> None:
        """These messages have these flags now."""
        folder = self.folder(state, mailbox)
        keywords = {keyword for flag in set(flags.values()) for keyword in flag.keywords}
        letters = self._letters.giving(folder, sorted(keywords), self.tree.file_mode)
        for uid, base, tail, _, _ in self._files(state, mailbox, UIDSet.of(sorted(flags))):
            key = mailbox.account.id, mailbox.id, uid
            before = self.tails.get(key, tail)
            # A message without flags need not leave `new`. Planned though it be there: a step before may change that.
            stays = before == IN_NEW and flags[uid] == NO_FLAGS
            after = IN_NEW if stays else b"c" + info_of(flags[uid], letters)
            self._steps.append(Retail(key, folder, base, before, after))

    def renamed(self, key: Key, folder: bytes, base: bytes, before: bytes, after: bytes) -> None:
        """A message's name is to tell what the index says."""
        self._steps.append(Retail(key, folder, base, before, after))

    def expunged(self, state: WriteState, mailbox: MailboxRow, uids: UIDSet) -> None:
        """These messages are about to be expunged."""
        if not self._takes_away:
            return
        folder = self.folder(state, mailbox)
        for uid, base, tail, _, _ in self._files(state, mailbox, uids):
            self.leave((mailbox.account.id, mailbox.id, uid), folder, base, tail)

    def leave(self, key: Key, folder: bytes, base: bytes, tail: bytes) -> None:
        """Others are to see this message no more."""
        staged = self._stage.file(key[0], base)
        self._steps.append(Leave(key, folder, base, self.tails.get(key, tail), staged))

    @contextmanager
    def leaving_to_others(self) -> Iterator[None]:
        """What is expunged here has no file any more."""
        self._takes_away = False
        try:
            yield
        finally:
            self._takes_away = True

    def put_back(self, state: WriteState, key: Key, folder: bytes) -> None:
        """The file of a message that is expunged came again by others' doing: another message, from now on."""
        state.run("DELETE FROM file WHERE account = ? AND mailbox = ? AND uid = ?", key)
        self._steps.append(Unlink(key, None, b"", b""))

    def swept(self, state: WriteState, entries: Sequence[Key]) -> None:
        """These messages are readable no more."""
        for key in entries:
            row = state.connection.find(
                "SELECT f.base, f.tail, d.name, a.name FROM file f LEFT JOIN account a ON a.account = f.account "
                "LEFT JOIN folder d ON d.account = f.account AND d.mailbox = f.mailbox "
                "WHERE f.account = ? AND f.mailbox = ? AND f.uid = ?",
                key,
            )
            if row is not None:
                base, tail, name, account = row
                folder = None if name is None or account is None else self.tree.folder(account, name)
                self._steps.append(Unlink(key, folder, base, tail))
        state.run_many("DELETE FROM file WHERE account = ? AND mailbox = ? AND uid = ?", list(entries))

    def _files(self, state: WriteState, mailbox: MailboxRow, uids: UIDSet) -> list[tuple[int, bytes, bytes, int, str]]:
        if not uids:
            return []
        rows = rows_of(uids).replace(
            " WHERE ",
            " CROSS JOIN file f ON f.account = e.account AND f.mailbox = e.mailbox AND f.uid = e.uid WHERE ",
            1,
        )
        return [
            (uid, bytes(base), bytes(tail), bits, keywords)
            for uid, base, tail, bits, keywords in state.connection.every(
                f"SELECT e.uid, f.base, f.tail, e.bits, e.keywords FROM {rows} ORDER BY e.uid",
                bindings_of(mailbox.account.id, mailbox.id, uids),
            )
        ]

    def _tail(self, folder: bytes, flags: Flags) -> bytes:
        if flags == NO_FLAGS:
            return IN_NEW
        letters: dict[str, str] = {}
        if flags.keywords:
            letters = self._letters.giving(folder, flags.keywords, self.tree.file_mode)
        return b"c" + info_of(flags, letters)

    def letters(self, folder: bytes) -> dict[str, str]:
        """What the small letters in a folder's names stand for."""
        return self._letters.of(folder)

    # -- folders ---------------------------------------------------------------------------------------------

    def folder(self, state: WriteState, mailbox: MailboxRow) -> bytes:
        """The folder of the mailbox, as it is when the steps before have been done. Made where there is none yet."""
        key = mailbox.account.id, mailbox.id
        path = self._folders.get(key)
        if path is None:
            row = state.connection.find("SELECT name, target FROM folder WHERE account = ? AND mailbox = ?", key)
            if row is None:
                self.folder_made(state, mailbox.account, mailbox.id, mailbox.name)
                return self._folders[key]
            path = self._folders[key] = self.tree.folder(mailbox.account.name, bytes(row[1] or row[0]))
        return path

    def folder_made(self, state: WriteState, account: AccountRow, mailbox: int, name: str) -> None:
        """A mailbox was made."""
        folder = folder_of(name)
        path = self._folders[account.id, mailbox] = self.tree.folder(account.name, folder)
        self._drop_before(state, account, path, folder)
        state.run("INSERT INTO folder VALUES (?, ?, NULL, ?)", (account.id, mailbox, folder))
        self._steps.append(MakeFolder(account.id, mailbox, path, folder))

    def _drop_before(self, state: WriteState, account: AccountRow, path: bytes, folder: bytes) -> None:
        """What had this folder and is deleted, and could not be taken away yet, goes before another has it."""
        gone = self.tree.account(account.name)
        if path == gone:
            rows = state.connection.every(_DROPPED_ACCOUNT, (os.path.basename(gone), DROPPED))
            self._steps += [DropFolder(number, 0, gone) for (number,) in rows]
        else:
            rows = state.connection.every(_DROPPED_MAILBOX, (account.id, folder, DROPPED))
            self._steps += [DropFolder(account.id, mailbox, path) for (mailbox,) in rows]

    def folder_moved(self, state: WriteState, account: AccountRow, old_name: str, new_name: str) -> None:
        """A mailbox is about to be renamed."""
        mailbox = state.find_mailbox(account, old_name)
        assert mailbox is not None
        before, folder = self.folder(state, mailbox), folder_of(new_name)
        state.run("UPDATE folder SET target = ? WHERE account = ? AND mailbox = ?", (folder, account.id, mailbox.id))
        after = self.tree.folder(account.name, folder)
        old_folder = b"." if before == self.tree.account(account.name) else os.path.basename(before)
        self._folders[account.id, mailbox.id] = after
        self._steps.append(MoveFolder(account.id, mailbox.id, before, after, old_folder, folder))

    def folder_dropped(self, state: WriteState, mailbox: MailboxRow) -> None:
        """A mailbox is about to be deleted."""
        path = self.folder(state, mailbox)
        key = mailbox.account.id, mailbox.id
        state.run("UPDATE folder SET target = ? WHERE account = ? AND mailbox = ?", (DROPPED, *key))
        self._steps.append(DropFolder(*key, path))
        self._folders.pop(key, None)

    def account_dropped(self, state: WriteState, account: AccountRow) -> None:
        """An account is about to be removed."""
        path = self.tree.account(account.name)
        state.run("DELETE FROM folder WHERE account = ?", (account.id,))
        # The account's name will be no more: the row has the folder itself.
        state.run("INSERT INTO folder VALUES (?, 0, ?, ?)", (account.id, os.path.basename(path), DROPPED))
        self._steps.append(DropFolder(account.id, 0, path))
        self._folders.clear()

    def go_on(self, step: Step) -> None:
        """Plan what an earlier process did not come to do."""
        self._steps.append(step)


def failure_of(error: OSError) -> TemporaryFailure:
    """What a door says of a file that cannot be written."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return TemporaryFailure("the storage is full", EnhancedStatus(4, 3, 1))
    return TemporaryFailure("the storage failed")
