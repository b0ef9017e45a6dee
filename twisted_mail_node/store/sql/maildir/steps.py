"""
What is done to files after the commit that says so: each step a small value, done in order, in the writer's thread.

A step that cannot be done is logged and left: the index is right already, and the next look at the folder, or the next
start, finds what is left to do.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from ...maildir.listing import Stamps, Times, file_in, listed, times_of
from ...maildir.tree import Tree
from ..connection import Value

Key = tuple[int, int, int]
"""Account, mailbox and UID: which entry."""

SET_TAIL = "UPDATE file SET tail = ? WHERE account = ? AND mailbox = ? AND uid = ?"
SET_FOLDER = "UPDATE folder SET name = ?, target = NULL WHERE account = ? AND mailbox = ?"
FORGET_FOLDER = "DELETE FROM folder WHERE account = ? AND mailbox = ?"

Learned = tuple[str, tuple[Value, ...]]
"""A statement and its values: how the files are now, to be written by the next transaction."""


@dataclass(slots=True)
class Doing:
    """One round of steps: what they work with, and what they leave behind."""

    tree: Tree
    stamps: Stamps
    note: Callable[[bytes], None]
    """Told of each path before it comes or goes by our own doing."""
    tails: dict[Key, bytes] = field(default_factory=dict)
    """Where files are by now, whatever the index said when the step was planned."""
    learned: list[Learned] = field(default_factory=list)
    _touched: dict[bytes, Times] = field(default_factory=dict)
    _found: dict[bytes, dict[bytes, bytes]] = field(default_factory=dict)

    def touch(self, folder: bytes) -> None:
        """The folder is about to change."""
        if folder not in self._touched:
            with suppress(OSError):
                self._touched[folder] = times_of(folder)

    def rename(self, source: bytes, target: bytes) -> None:
        """Rename a file of ours. Raises OSError."""
        self.note(source)
        self.note(target)
        os.rename(source, target)

    def tail_now(self, folder: bytes, base: bytes) -> bytes | None:
        """Where another program has put the file in its folder; None where it is not there."""
        if folder not in self._found:
            # All of it, once a round: where one is not where it should be, others may not be either.
            self._found[folder] = {}
            with suppress(OSError):
                self._found[folder] = listed(folder)
        return self._found[folder].get(base)

    def sync_parent(self, path: bytes) -> None:
        """Make the name of a folder durable, before the index says that it is so. Raises OSError."""
        descriptor = os.open(os.path.dirname(path), os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def finish(self) -> None:
        """All steps are done."""
        for folder, before in self._touched.items():
            with suppress(OSError):
                self.stamps.changed_by_us(folder, before, times_of(folder))


@dataclass(frozen=True, slots=True)
class Arrive:
    """A message that was staged comes into its folder."""

    key: Key
    staged: bytes
    folder: bytes
    base: bytes
    tail: bytes

    def do(self, doing: Doing) -> None:
        """Raises OSError."""
        doing.touch(self.folder)
        target = file_in(self.folder, self.base, self.tail)
        try:
            doing.rename(self.staged, target)
        except FileNotFoundError:
            # Others have removed the folder just now. Where all of the account is missing, its disk may be.
            is_inbox = not os.path.basename(self.folder).startswith(b".")
            account = self.folder if is_inbox else os.path.dirname(self.folder)
            if not os.path.isdir(account) or not os.path.lexists(self.staged):
                raise
            doing.tree.make_maildir(self.folder)
            doing.rename(self.staged, target)


@dataclass(frozen=True, slots=True)
class Retail:
    """A message's flags have changed, and so does its name."""

    key: Key
    folder: bytes
    base: bytes
    before: bytes
    after: bytes

    def do(self, doing: Doing) -> None:
        """Raises OSError."""
        before = doing.tails.get(self.key, self.before)
        if before == self.after:
            return
        doing.touch(self.folder)
        target = file_in(self.folder, self.base, self.after)
        if os.path.lexists(target):
            # Another program has put another file there, under the same base: it must not be replaced.
            return
        try:
            doing.rename(file_in(self.folder, self.base, before), target)
        except FileNotFoundError:
            # Others have renamed or removed it. What they meant is seen when the folder is next looked at.
            return
        doing.tails[self.key] = self.after
        doing.learned.append((SET_TAIL, (self.after, *self.key)))


@dataclass(frozen=True, slots=True)
class Leave:
    """A message was expunged: others see it no more, and it stays readable for a while."""

    key: Key
    folder: bytes
    base: bytes
    tail: bytes
    staged: bytes

    def do(self, doing: Doing) -> None:
        """Raises OSError."""
        doing.touch(self.folder)
        gone = doing.tree.gone_file(*self.key)
        for path in (file_in(self.folder, self.base, doing.tails.get(self.key, self.tail)), self.staged):
            with suppress(FileNotFoundError):
                doing.rename(path, gone)
                return
        tail = doing.tail_now(self.folder, self.base)
        if tail is not None:
            with suppress(FileNotFoundError):
                doing.rename(file_in(self.folder, self.base, tail), gone)


@dataclass(frozen=True, slots=True)
class Unlink:
    """An expunged message is readable no more."""

    key: Key
    folder: bytes | None
    base: bytes
    tail: bytes

    def do(self, doing: Doing) -> None:
        """Raises OSError."""
        try:
            os.unlink(doing.tree.gone_file(*self.key))
        except FileNotFoundError:
            if self.folder is None:
                return
            # It never left its folder: the process was killed in between, and nobody looked since.
            tail = self.tail
            if not os.path.lexists(file_in(self.folder, self.base, tail)):
                tail = doing.tail_now(self.folder, self.base) or tail
            with suppress(FileNotFoundError):
                doing.touch(self.folder)
                os.unlink(file_in(self.folder, self.base, tail))


@dataclass(frozen=True, slots=True)
class MakeFolder:
    """A mailbox was made."""

    account: int
    mailbox: int
    path: bytes
    name: bytes

    def do(self, doing: Doing) -> None:
        """Raises OSError."""
        doing.note(self.path)
        doing.tree.make_maildir(self.path)
        doing.sync_parent(self.path)
        doing.learned.append((SET_FOLDER, (self.name, self.account, self.mailbox)))


@dataclass(frozen=True, slots=True)
class MoveFolder:
    """A mailbox was renamed."""

    account: int
    mailbox: int
    before: bytes
    after: bytes
    old_name: bytes
    new_name: bytes

    def do(self, doing: Doing) -> None:
        """Raises OSError."""
        if self.before == self.after:
            return
        if not os.path.isdir(self.before):
            # It was moved before the process was killed, or others have removed it.
            doing.tree.make_maildir(self.after)
        elif os.path.lexists(self.after):
            # Others have made a folder of that name meanwhile: the mailbox keeps the folder that it has.
            doing.learned.append((SET_FOLDER, (self.old_name, self.account, self.mailbox)))
            return
        else:
            doing.rename(self.before, self.after)
        doing.sync_parent(self.after)
        doing.stamps.forget(self.before)
        doing.stamps.forget(self.after)
        doing.learned.append((SET_FOLDER, (self.new_name, self.account, self.mailbox)))


@dataclass(frozen=True, slots=True)
class DropFolder:
    """A mailbox was deleted, or (mailbox 0) an account."""

    account: int
    mailbox: int
    path: bytes

    def do(self, doing: Doing) -> None:
        """Raises OSError."""
        with suppress(FileNotFoundError):
            doing.rename(self.path, doing.tree.gone_file(self.account, self.mailbox))
            doing.sync_parent(self.path)
        doing.stamps.forget(self.path)
        doing.learned.append((FORGET_FOLDER, (self.account, self.mailbox)))


Step = Arrive | Retail | Leave | Unlink | MakeFolder | MoveFolder | DropFolder
