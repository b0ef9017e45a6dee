"""
What is in a folder now, and whether that can have changed since.

A message's place in its folder is its `tail`: `n` or `c` for new and cur, and the info of its name. Listing a folder
takes time, so it is done only where the times of its two parts say that something changed, or may have: a file system
tells times in steps, and two changes within one look like one.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from threading import Lock

from ...mail.maildir_name import parted
from .opening import is_plain_folder

IN_NEW = b"n"
STEP_SECONDS = 1.0
"""Our own bound, above the steps in which file systems tell times (NFS and old ones: a second)."""
CHEAP_SECONDS = 0.01
SHARE = 20
"""A folder that takes longer to list is listed for the sake of such steps a twentieth of the time at most."""
RESTS = 5
"""A folder in which others go on changing something is left alone for five times as long as it took to list."""
MAX_STAMPS = 100_000
"""Our own bound: about 200 octets each; all are forgotten when it is reached."""

Times = tuple[int, ...]
"""When something changed, in nanoseconds."""

_PARTS = ((b"new", b"n"), (b"cur", b"c"))


def file_in(folder: bytes, base: bytes, tail: bytes) -> bytes:
    """The path of a message by its tail."""
    return b"%s/%s/%s%s" % (folder, b"new" if tail[:1] == IN_NEW else b"cur", base, tail[1:])


def listed(folder: bytes) -> dict[bytes, bytes]:
    """
    The tail of every base; `new` is read first, since what moves meanwhile moves from there to `cur`.

    Raises: FileNotFoundError: it is no Maildir.
    """
    found: dict[bytes, bytes] = {}
    for part, letter in _PARTS:
        for name in os.listdir(os.path.join(folder, part)):
            if not name.startswith(b"."):
                base, info = parted(name)
                found[base] = letter + info
    return found


def found_again(folder: bytes, bases: Iterable[bytes]) -> dict[bytes, bytes]:
    """The tails of these bases, of those that are there."""
    wanted = set(bases)
    with suppress(OSError):
        return {base: tail for base, tail in listed(folder).items() if base in wanted}
    return {}


def subfolders(account: bytes) -> list[bytes]:
    """The Maildir++ folders of an account, links left out. Raises FileNotFoundError: it is no Maildir."""
    with os.scandir(account) as entries:
        return sorted(
            entry.name
            for entry in entries
            if entry.name.startswith(b".")
            and entry.is_dir(follow_symlinks=False)
            and is_plain_folder(entry.path + b"/cur")
            and is_plain_folder(entry.path + b"/new")
        )


def times_of(folder: bytes) -> Times:
    """When the two parts changed, in nanoseconds. Raises OSError: it is no Maildir."""
    return os.stat(folder + b"/new").st_mtime_ns, os.stat(folder + b"/cur").st_mtime_ns


@dataclass(slots=True)
class _Stamp:
    times: Times
    taken: float
    cost: float
    is_settled: bool


class Stamps:
    """Which folders have been listed since they last changed. Used in any thread."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._stamps: dict[bytes, _Stamp] = {}

    def is_fresh(self, folder: bytes, times: Times) -> bool:
        """Whether the folder, whose times are these now, need not be listed."""
        with self._lock:
            stamp = self._stamps.get(folder)
        if stamp is None or stamp.times != times:
            return False
        return stamp.is_settled or (stamp.cost > CHEAP_SECONDS and time.monotonic() - stamp.taken < SHARE * stamp.cost)

    def listed(self, folder: bytes, times: Times, cost: float) -> None:
        """It was listed, and what was found is in the index; `times` are from before, `cost` is in seconds."""
        is_settled = time.time() - cost - max(times) / 1e9 > STEP_SECONDS
        with self._lock:
            if len(self._stamps) >= MAX_STAMPS:
                self._stamps.clear()
            self._stamps[folder] = _Stamp(times, time.monotonic(), cost, is_settled)

    def changed_by_us(self, folder: bytes, before: Times, after: Times) -> None:
        """We changed it, and who else did in the same moment is found when it is listed again."""
        with self._lock:
            stamp = self._stamps.get(folder)
            if stamp is not None and stamp.times == before:
                stamp.times, stamp.is_settled = after, False

    def rest_seconds(self, folder: bytes) -> float:
        """How long the folder should be left alone, where nobody asks for it but notices of changes."""
        with self._lock:
            stamp = self._stamps.get(folder)
        return 0.0 if stamp is None else stamp.taken + RESTS * stamp.cost - time.monotonic()

    def has(self, folder: bytes) -> bool:
        """Whether it was ever listed, as far as is remembered."""
        with self._lock:
            return folder in self._stamps

    def forget(self, folder: bytes) -> None:
        """List it next time, whatever the times say."""
        with self._lock:
            self._stamps.pop(folder, None)
