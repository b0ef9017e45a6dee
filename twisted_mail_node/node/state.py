"""
The state folder: made for one owner, locked for one node, and rid of what a failed first start left.

What lies in it: `node.lock` (held while a node or a direct command works), `mail.sqlite` (the store's),
`spool.sqlite` (the queue in front of an application's store),
`control.sock`, `listening.json`, `node.id`, `decoy.key`, and for the start without a configuration file `cert.pem`,
`key.pem`, `postmaster.password`.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import secrets
import shutil
from collections.abc import Sequence
from pathlib import Path
from uuid import uuid4

from .errors import CannotStart, reason

FIRST_ACCOUNT = "postmaster@localhost"
"""The account that the start without a configuration file makes."""


class StateFolderInUse(CannotStart):
    """Another process holds the folder's lock."""

    __module__ = "builtins"


class StateFolder:
    """The folder at `path`, which need not exist yet. `open` and `close` may alternate."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock: int | None = None
        self._made = False

    @property
    def database(self) -> Path:
        """The SQLite store's file."""
        return self.path / "mail.sqlite"

    @property
    def spool(self) -> Path:
        """The file of the queue in front of an application's store."""
        return self.path / "spool.sqlite"

    @property
    def control_socket(self) -> Path:
        """Where the running node takes commands."""
        return self.path / "control.sock"

    @property
    def listening_file(self) -> Path:
        """Tells other programs where the node serves, while it does."""
        return self.path / "listening.json"

    @property
    def certificate(self) -> Path:
        """The certificate that the node made for itself."""
        return self.path / "cert.pem"

    @property
    def private_key(self) -> Path:
        """Its key."""
        return self.path / "key.pem"

    @property
    def first_password(self) -> Path:
        """The first account's password; empty once it was changed."""
        return self.path / "postmaster.password"

    def node_id(self) -> str:
        """
        A name that this folder's node has and no other, the same at each start. While the folder is open.

        Raises: CannotStart: it can't be written.
        """
        path = self.path / "node.id"
        if not path.exists():
            self.write(path, uuid4().hex.encode() + b"\n")
        return path.read_text("ascii").strip()

    def decoy_key(self) -> bytes:
        """
        What salts are made of that users are told to have who have none, the same at each start. While it is open.

        Raises: CannotStart: it can't be written.
        """
        path = self.path / "decoy.key"
        if not path.exists():
            self.write(path, secrets.token_hex(32).encode("ascii") + b"\n")
        return path.read_bytes().strip()

    def open(self) -> None:
        """
        Make the folder if needed, and take its lock.

        Raises: CannotStart: no folder can be made or written there; StateFolderInUse.
        """
        try:
            os.mkdir(self.path, 0o700)
            self._made = True
            _sync_folder(self.path.parent)
        except FileExistsError:
            self._made = False
        except OSError as error:
            raise CannotStart(f"the state folder {self.path} can't be made: {reason(error)}") from error
        try:
            self._lock = os.open(self.path / "node.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise CannotStart(f"the state folder {self.path} can't be written: {reason(error)}") from error
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.pread(self._lock, 20, 0).decode("ascii", "replace").strip()
            self.close()
            if error.errno not in (errno.EAGAIN, errno.EACCES):
                raise CannotStart(f"the state folder {self.path} can't be locked: {reason(error)}") from error
            named = f" (process {holder})" if holder else ""
            raise StateFolderInUse(f"the state folder {self.path} is in use by another node{named}") from None
        os.ftruncate(self._lock, 0)
        os.pwrite(self._lock, b"%d\n" % os.getpid(), 0)

    def close(self) -> None:
        """Give the lock back; nothing happens if it is not held."""
        lock, self._lock = self._lock, None
        if lock is not None:
            os.close(lock)

    def discard_if_new(self) -> None:
        """Remove the folder with all in it if this object's last `open` made it; then give the lock back."""
        if self._lock is not None and self._made:
            shutil.rmtree(self.path, ignore_errors=True)
        self.close()

    def is_private(self) -> bool:
        """Whether nobody but the owner can enter."""
        return not self.path.stat().st_mode & 0o077

    def write(self, path: Path, content: bytes) -> None:
        """Write one of the folder's files, readable by the owner alone, whole or not at all."""
        made = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            with open(os.open(made, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600), "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.rename(made, path)
        except OSError as error:
            made.unlink(missing_ok=True)
            raise CannotStart(f"{path} can't be written: {reason(error)}") from error

    def forget_first_password(self, name: str) -> None:
        """The password of user `name` is another now: empty the file that tells the first account's."""
        if name == FIRST_ACCOUNT and self.first_password.exists():
            self.first_password.write_bytes(b"")

    def tell_listening(self, listeners: Sequence[dict[str, object]]) -> None:
        """Write listening.json."""
        content = json.dumps({"pid": os.getpid(), "listeners": list(listeners)}, indent=1)
        self.write(self.listening_file, content.encode() + b"\n")

    def tell_not_listening(self) -> None:
        """Remove listening.json."""
        self.listening_file.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    """Let the names in the folder outlive the power: what is in a file is of no use without its name."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
