"""
Files written and made durable, several at a time: each waits for the disk, and many waits cost little more than one.

Used in the writer's thread. What is small is kept until the commit is near; what is large is written at once.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait

THREADS = 16
"""Our own choice: on the disks tried, more gave nothing."""

Pieces = Sequence[bytes] | Callable[[], Iterable[bytes]]
"""The octets of a small message, or what gives those of a large one."""

_PRIVATE = 0o600
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC


class Writing:
    """See the module. `mode` is the files'."""

    def __init__(self, mode: int) -> None:
        self._mode = mode
        self._small: dict[bytes, tuple[int, Sequence[bytes]]] = {}
        self._large: set[bytes] = set()
        self._pool: ThreadPoolExecutor | None = None

    def add(self, path: bytes, date: int, pieces: Pieces) -> None:
        """A file of this content, and last changed at this time: Maildirs keep a message's date so. Raises OSError."""
        if not callable(pieces):
            self._small[path] = (date, pieces)
            return
        descriptor = os.open(path, _NEW_FILE, self._mode)
        try:
            for piece in pieces():
                _write(descriptor, piece)
            self._finish(descriptor, date)
        finally:
            os.close(descriptor)
        self._large.add(path)

    def same_again(self, original: bytes, path: bytes) -> bool:
        """A second file of the same content, where the first is not written yet. Returns whether that is so."""
        content = self._small.get(original)
        if content is not None:
            self._small[path] = content
        return content is not None

    def link(self, original: bytes, path: bytes) -> None:
        """The same file under one more name; a copy, where the file system has no such thing. Raises OSError."""
        try:
            os.link(original, path, follow_symlinks=False)
        except FileNotFoundError:
            raise
        except OSError:
            shutil.copy2(original, path, follow_symlinks=False)
            self._large.add(path)

    def drop(self, path: bytes) -> None:
        """The file is not wanted any more."""
        self._small.pop(path, None)
        self._large.discard(path)

    def forget(self) -> None:
        """None of them is."""
        self._small.clear()
        self._large.clear()

    def finish(self) -> None:
        """Write what is left, and wait until all contents are durable; not their names. Raises OSError."""
        jobs: list[Callable[[], None]] = [
            _job(self._write_small, path, date, pieces) for path, (date, pieces) in self._small.items()
        ]
        jobs += [_job(_sync, path) for path in self._large]
        self.forget()
        if len(jobs) == 1:
            jobs[0]()
        elif jobs:
            if self._pool is None:
                self._pool = ThreadPoolExecutor(THREADS, "mail store files")
            begun = [self._pool.submit(_all, jobs[start::THREADS]) for start in range(min(THREADS, len(jobs)))]
            # All of them, though one fail: what is given up afterwards must not be written any more.
            wait(begun)
            for done in begun:
                done.result()

    def close(self) -> None:
        """End the threads."""
        if self._pool is not None:
            self._pool.shutdown()

    def _finish(self, descriptor: int, date: int) -> None:
        if self._mode != _PRIVATE:
            os.fchmod(descriptor, self._mode)  # as it is set, whatever the umask
        os.utime(descriptor, (date, date))

    def _write_small(self, path: bytes, date: int, pieces: Sequence[bytes]) -> None:
        descriptor = os.open(path, _NEW_FILE, self._mode)
        try:
            _write(descriptor, b"".join(pieces))
            self._finish(descriptor, date)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _job(work: Callable[..., None], *args: object) -> Callable[[], None]:
    return lambda: work(*args)


def _all(jobs: Sequence[Callable[[], None]]) -> None:
    for job in jobs:
        job()


def _write(descriptor: int, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[os.write(descriptor, view) :]


def _sync(path: bytes) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
