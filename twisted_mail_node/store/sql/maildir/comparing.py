"""
What differs between a folder and what the index last knew of it. In a thread of its own: a folder may be large.

For each file there are three states: as the index last knew it (its tail), as it is now, and as the index wants it (the
entry's flags). Where the file is as it was known, a difference is ours and the file is renamed; where it is not, others
have changed it, and what they changed is changed in the index.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import merge
from typing import NamedTuple

from ....mail.dovecot_files import UIDList, read_uidlist
from ....mail.flags import flags_of
from ....mail.maildir_name import info_of, sizes_in, stem_of
from ...maildir.content import measured
from ...maildir.listing import IN_NEW, Times, file_in, listed, times_of
from ...maildir.opening import lines_of, opened
from ..connection import Connection

UIDLIST = b"dovecot-uidlist"
SORTED_AT_ONCE = 2_000
"""Takes a few milliseconds."""
MAX_UIDLIST_OCTETS = 256 * 1024 * 1024
"""Our own bound: some millions of messages."""


class Known(NamedTuple):
    """What the index says of a file. `bits` is None where the message is expunged."""

    uid: int
    base: bytes
    tail: bytes
    bits: int | None
    keywords: str | None


class Changed(NamedTuple):
    """
    A file that others have renamed, or whose name does not tell what the index says.

    `known` is the tail as the index had it; `new_base` the base it has now, where others have changed that too.
    """

    uid: int
    base: bytes
    known: bytes
    tail: bytes
    new_base: bytes


class New(NamedTuple):
    """A file that the index does not know. `uid` is the one that Dovecot gave it."""

    base: bytes
    tail: bytes
    size: int
    date: int
    uid: int | None


@dataclass(slots=True)
class Difference:
    """What is to be changed in the index, or in the folder. `new` are bases with their tails, in order of coming."""

    times: Times
    cost_seconds: float = 0.0
    changed: list[Changed] = field(default_factory=list)
    left: list[Changed] = field(default_factory=list)
    """Files of expunged messages that are still there."""
    missing: list[Changed] = field(default_factory=list)
    new: list[tuple[bytes, bytes]] = field(default_factory=list)
    uidlist: UIDList = field(default_factory=UIDList)


def load(connection: Connection, account: int, mailbox: int) -> list[Known]:
    """What the index knows of a folder."""
    return [
        Known(uid, bytes(base), bytes(tail), bits, keywords)
        for uid, base, tail, bits, keywords in connection.every(
            "SELECT f.uid, f.base, f.tail, e.bits, e.keywords FROM file f LEFT JOIN entry e "
            "ON e.account = f.account AND e.mailbox = f.mailbox AND e.uid = f.uid "
            "WHERE f.account = ? AND f.mailbox = ?",
            (account, mailbox),
        )
    ]


def compare(folder: bytes, known: Sequence[Known], letters: Mapping[str, str]) -> Difference:
    """Look at the folder. Raises FileNotFoundError: it is no Maildir."""
    difference = Difference(times_of(folder))
    began = time.monotonic()
    found = listed(folder)
    wanted = _Wanted(letters)
    absent = []
    for one in known:
        tail = found.pop(one.base, None)
        if tail is None:
            if one.bits is not None:
                absent.append(one)
        else:
            _sort_in(difference, one, tail, wanted)
    if absent:
        # A name that changes while a folder is read may be seen under neither: what is not there twice is not there.
        again = listed(folder)
        stems = {stem_of(base): base for base in found}
        for one in absent:
            base = one.base if one.base in again else stems.get(stem_of(one.base), b"")
            tail = again.get(base)
            found.pop(base, None)
            if tail is None:
                difference.missing.append(Changed(one.uid, one.base, one.tail, one.tail, one.base))
            else:
                _sort_in(difference, one, tail, wanted, base)
    if found:
        difference.uidlist = _read_uidlist(folder)
        uids, last = difference.uidlist.uids, 2**32
        difference.new = _sorted(found, lambda item: (uids.get(item[0], last), _came(item[0]), item[0]))
    difference.cost_seconds = time.monotonic() - began
    return difference


def _sort_in(difference: Difference, one: Known, tail: bytes, wanted: _Wanted, base: bytes = b"") -> None:
    changed = Changed(one.uid, one.base, one.tail, tail, base or one.base)
    if one.bits is None:
        difference.left.append(changed)
    elif tail != one.tail or changed.new_base != one.base or not wanted.is_told_by(tail, one.bits, one.keywords or ""):
        difference.changed.append(changed)


class _Wanted:
    """What a name should tell, remembered for the few combinations that a folder has."""

    def __init__(self, letters: Mapping[str, str]) -> None:
        self._letters = letters
        self._infos: dict[tuple[int, str], bytes] = {}

    def is_told_by(self, tail: bytes, bits: int, keywords: str) -> bool:
        if tail in (IN_NEW, b"c"):
            return not bits and not keywords
        info = self._infos.get((bits, keywords))
        if info is None:
            info = self._infos[bits, keywords] = info_of(flags_of(bits, keywords), self._letters)
        return tail[1:] == info


def _sorted(
    found: Mapping[bytes, bytes], place: Callable[[tuple[bytes, bytes]], tuple[int, int, bytes]]
) -> list[tuple[bytes, bytes]]:
    """Files by their places. In parts: while a list is sorted, no other thread runs, nor does the reactor."""
    files = list(found.items())
    parts = [sorted(files[start : start + SORTED_AT_ONCE], key=place) for start in range(0, len(files), SORTED_AT_ONCE)]
    return list(merge(*parts, key=place))


def _came(base: bytes) -> int:
    seconds = base.partition(b".")[0]
    return int(seconds) if seconds.isdigit() and len(seconds) < 12 else 2**40


def _read_uidlist(folder: bytes) -> UIDList:
    try:
        with opened(os.path.join(folder, UIDLIST)) as file:
            return read_uidlist(lines_of(file, MAX_UIDLIST_OCTETS))
    except OSError:
        return UIDList()


def measure(folder: bytes, files: Sequence[tuple[bytes, bytes]], uids: Mapping[bytes, int]) -> list[New]:
    """
    What new files are: as far as their names tell, without reading them.

    Left out are those that are gone again, and what is no plain file.
    """
    return [new for base, tail in files if (new := _measured(folder, base, tail, uids.get(base)))]


def _measured(folder: bytes, base: bytes, tail: bytes, uid: int | None) -> New | None:
    path = file_in(folder, base, tail)
    try:
        status = os.lstat(path)
        if not stat.S_ISREG(status.st_mode):
            return None
        on_wire = sizes_in(base).on_wire
        # CRLF makes no file shorter, nor more than twice as long.
        is_likely = on_wire is not None and status.st_size <= on_wire <= 2 * status.st_size
        size = on_wire if on_wire is not None and is_likely else measured(path)
    except OSError:
        # Gone or renamed meanwhile: seen when the folder is next looked at, and its times have changed by then.
        return None
    return New(base, tail, size, int(status.st_mtime), uid)
