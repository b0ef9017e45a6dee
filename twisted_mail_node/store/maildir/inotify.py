"""
What the kernel tells of folders: names that come and go. Source: inotify(7).

A thread reads; what it read is given to the reactor. Twisted's own inotify wants a reactor with sockets and looks into
folders by itself; here a store under any reactor is to be told, and nothing more.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import errno
import os
import select
import struct
from collections.abc import Callable, Sequence
from threading import Lock, Thread

from twisted.internet.interfaces import IReactorFromThreads

_CREATE, _DELETE, _MOVED_FROM, _MOVED_TO = 0x100, 0x200, 0x40, 0x80
_ONLY_DIRECTORY = 0x01000000
_OVERFLOWED, _IGNORED = 0x4000, 0x8000
_EVENT = struct.Struct("iIII")
_READ_OCTETS = 64 * 1024

Change = tuple[bytes, bytes]
"""A folder and a name in it; two empty ones where changes were lost."""


class Unsupported(Exception):
    """There is no inotify here."""


class Inotify:
    """
    See the module.

    `tell` is called in the reactor's thread with changes, many at a time.
    """

    def __init__(self, reactor: IReactorFromThreads, tell: Callable[[Sequence[Change]], None]) -> None:
        """Raises Unsupported."""
        self._reactor = reactor
        self._tell = tell
        self._libc = ctypes.CDLL(None, use_errno=True)
        if not hasattr(self._libc, "inotify_init1"):
            raise Unsupported("this system has no inotify")
        self._descriptor = self._libc.inotify_init1(os.O_CLOEXEC | os.O_NONBLOCK)
        if self._descriptor < 0:
            raise Unsupported(os.strerror(ctypes.get_errno()))
        self._lock = Lock()
        self._paths: dict[int, bytes] = {}
        self._numbers: dict[bytes, int] = {}
        self._end, self._ending = os.pipe2(os.O_CLOEXEC)
        self._thread = Thread(target=self._run, name="mail store inotify", daemon=True)
        self._thread.start()

    def add(self, path: bytes) -> bool:
        """Tell of names in this folder. Returns whether there may be more: False, the kernel has no watches left."""
        mask = _CREATE | _DELETE | _MOVED_FROM | _MOVED_TO | _ONLY_DIRECTORY
        with self._lock:
            number = self._libc.inotify_add_watch(self._descriptor, path, mask)
            if number >= 0:
                self._paths[number] = path
                self._numbers[path] = number
        return number >= 0 or ctypes.get_errno() not in (errno.ENOSPC, errno.ENOMEM)

    def remove(self, path: bytes) -> None:
        """Tell of it no more."""
        with self._lock:
            number = self._numbers.pop(path, None)
            if number is not None:
                self._paths.pop(number, None)
                self._libc.inotify_rm_watch(self._descriptor, number)

    def stop(self) -> None:
        """End the thread."""
        os.close(self._ending)
        self._thread.join()
        os.close(self._descriptor)
        os.close(self._end)

    def _run(self) -> None:
        poll = select.poll()
        poll.register(self._descriptor, select.POLLIN)
        poll.register(self._end, select.POLLIN | select.POLLHUP)
        while self._end not in [descriptor for descriptor, _ in poll.poll()]:
            try:
                events = os.read(self._descriptor, _READ_OCTETS)
            except BlockingIOError:
                continue
            changes = self._changes(events)
            if changes:
                self._reactor.callFromThread(self._tell, changes)

    def _changes(self, events: bytes) -> list[Change]:
        changes: list[Change] = []
        at = 0
        with self._lock:
            while at < len(events):
                number, mask, _, length = _EVENT.unpack_from(events, at)
                at += _EVENT.size
                name = events[at : at + length].rstrip(b"\0")
                at += length
                if mask & _OVERFLOWED:
                    changes.append((b"", b""))
                elif mask & _IGNORED:
                    path = self._paths.pop(number, None)
                    if path is not None and self._numbers.get(path) == number:
                        del self._numbers[path]
                elif number in self._paths:
                    changes.append((self._paths[number], name))
        return changes
