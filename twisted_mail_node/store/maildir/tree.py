"""
The folders of a store's Maildirs, and the two places of our own beside them.

    ROOT/ACCOUNT/{cur,new,tmp}          INBOX
    ROOT/ACCOUNT/.Name.Sub/…            the other mailboxes
    ROOT/.mailnode/stage/PROCESS/       messages that are being written: what is here after a crash is put right
    ROOT/.mailnode/gone/                what was expunged or removed, until it is swept away

All of it is on one file system, since files are renamed and linked from one place to another.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import suppress
from secrets import token_hex

from ...mail.errors import PermanentFailure
from .names import account_folder

PARTS = (b"cur", b"new", b"tmp")
_OWN = b".mailnode"
_LOCK = b".lock"
# For writing, since NFS locks no file that is open for reading alone, and no folder.
_LOCKING = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC


class Tree:
    """
    See the module.

    Args:
        root: its folder.
        shared: whether the group of the files may read and write them too.
    """

    def __init__(self, root: str | os.PathLike[str], *, shared: bool = False) -> None:
        self.root = os.path.abspath(os.fsencode(root))
        self.gone = os.path.join(self.root, _OWN, b"gone")
        self.stages = os.path.join(self.root, _OWN, b"stage")
        self.file_mode, self._folder_mode = (0o660, 0o2770) if shared else (0o600, 0o700)

    # -- paths -----------------------------------------------------------------------------------------------

    def account(self, name: str) -> bytes:
        """The folder of an account."""
        return os.path.join(self.root, account_folder(name))

    def folder(self, account: str, folder: bytes) -> bytes:
        """The folder of one of its mailboxes."""
        return os.path.normpath(os.path.join(self.account(account), folder))

    def gone_file(self, account: int, mailbox: int, uid: int = 0) -> bytes:
        """Where a message is, or a whole mailbox or account, that the index has expunged or removed."""
        return os.path.join(self.gone, b"%d.%d.%d" % (account, mailbox, uid))

    # -- life ------------------------------------------------------------------------------------------------

    @property
    def is_ours(self) -> bool:
        """Whether a store has its Maildirs here."""
        return os.path.isdir(os.path.join(self.root, _OWN))

    def make(self) -> None:
        """Make the root and our own places. Raises PermanentFailure, naming the remedy."""
        try:
            for folder in (self.root, os.path.join(self.root, _OWN), self.gone, self.stages):
                self.make_folder(folder)
        except OSError as error:
            raise PermanentFailure(f"{os.fsdecode(self.root)} cannot hold Maildirs: {error.strerror}") from error

    def make_folder(self, path: bytes) -> None:
        """Make one folder, unless it is there."""
        with suppress(FileExistsError):
            os.mkdir(path)
            # As it is set, whatever the umask.
            os.chmod(path, self._folder_mode)

    def make_maildir(self, path: bytes) -> None:
        """Make a Maildir, its account's where it is missing, or what of it is missing."""
        account = os.path.dirname(path)
        is_folder = os.path.basename(path).startswith(b".")
        if is_folder:
            self.make_folder(account)
            for part in PARTS:
                self.make_folder(os.path.join(account, part))
        self.make_folder(path)
        for part in PARTS:
            self.make_folder(os.path.join(path, part))
        if is_folder:
            # Maildir++: tells a folder from a Maildir of its own.
            with suppress(FileExistsError):
                os.close(os.open(os.path.join(path, b"maildirfolder"), os.O_CREAT | os.O_EXCL, self.file_mode))


class Stage:
    """
    Where this process writes messages before their commit. While the file beside it is locked, its owner lives.

    A message is `ACCOUNT_BASE` here, the account by its number.
    """

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self.path = os.path.join(tree.stages, token_hex(8).encode())
        self._descriptor = self._lock = -1

    def open(self) -> None:
        """Make it. Raises OSError."""
        self._lock = os.open(self.path + _LOCK, _LOCKING, self._tree.file_mode)
        fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        self._tree.make_folder(self.path)
        self._descriptor = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)

    def file(self, account: int, base: bytes) -> bytes:
        """Where the message is staged."""
        return os.path.join(self.path, b"%d_%s" % (account, base))

    def sync(self) -> None:
        """Make the names durable that it has now."""
        os.fsync(self._descriptor)

    def close(self) -> None:
        """Leave it. What is still in it is for the next start."""
        if self._descriptor >= 0:
            _remove(self.path)
            os.close(self._descriptor)
            os.close(self._lock)
            self._descriptor = self._lock = -1


def staged_file(tree: Tree, account: int, base: bytes) -> bytes | None:
    """Where some process of the store has the message staged, or None."""
    try:
        stages = os.listdir(tree.stages)
    except OSError:
        return None
    for stage in stages:
        path = os.path.join(tree.stages, stage, b"%d_%s" % (account, base))
        if os.path.lexists(path):
            return path
    return None


def abandoned(tree: Tree) -> Iterator[tuple[bytes, list[tuple[int, bytes]]]]:
    """The stages whose owners have ended, with the messages (account, base) in them; locked until the next is asked."""
    for name in os.listdir(tree.stages):
        path = os.path.join(tree.stages, name)
        if name.endswith(_LOCK) or not os.path.isdir(path):
            continue
        lock = os.open(path + _LOCK, _LOCKING, tree.file_mode)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(lock)
            continue
        try:
            yield path, [staged for entry in os.listdir(path) if (staged := _staged(entry))]
            _remove(path)
        finally:
            os.close(lock)


def _remove(stage: bytes) -> None:
    """Remove the stage, which is locked, unless something is in it."""
    with suppress(OSError):
        os.rmdir(stage)
        os.unlink(stage + _LOCK)


def _staged(entry: bytes) -> tuple[int, bytes] | None:
    account, _, base = entry.partition(b"_")
    return (int(account), base) if account.isdigit() and base else None
