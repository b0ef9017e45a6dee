"""
A maildrop as one session sees it: numbers that stay, sizes, marks of deletion.

It numbers a snapshot of INBOX taken at login; what comes later is for the next session, and what others expunge
keeps its number. Neighbours: `snapshot` takes it, `read_ahead` fetches messages.

Source: RFC 1939 §4, §5.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import compress

from ...interfaces.store import IMailbox
from ...mail.uid_set import UIDSet
from .snapshot import SLICE_ROWS, Snapshot


class Maildrop:
    """Messages are numbered from 1 in ascending order of UID."""

    def __init__(self, mailbox: IMailbox, snapshot: Snapshot) -> None:
        self.mailbox = mailbox
        self._snapshot = snapshot
        self._uids = snapshot.uids
        self._sizes = snapshot.sizes
        self.unmark_all()

    def __len__(self) -> int:
        return len(self._uids)

    def has(self, number: int) -> bool:
        """Whether there is such a message, not marked as deleted."""
        return 0 < number <= len(self._uids) and not self._marks[number - 1]

    def uid(self, number: int) -> int:
        """The UID of a message."""
        return self._uids[number - 1]

    def size(self, number: int) -> int:
        """The size of a message in octets."""
        return self._sizes[number - 1]

    def mark(self, number: int) -> None:
        """Mark a message that is there as deleted."""
        self._marks[number - 1] = 1
        self.messages -= 1
        self.octets -= self._sizes[number - 1]

    def unmark_all(self) -> None:
        """Take all marks away."""
        self._marks = bytearray(len(self._uids))
        self.messages = len(self._uids)
        """How many are not marked."""
        self.octets = self._snapshot.octets
        """Their size together."""

    @property
    def marked_uids(self) -> UIDSet:
        """The UIDs of what is marked."""
        if self.messages == len(self._uids):
            return UIDSet()
        return UIDSet.of_ascending(list(compress(self._uids, self._marks)))

    def scan_slices(self) -> Iterator[list[tuple[int, int]]]:
        """Numbers and sizes of what is not marked, in slices."""
        for start in range(0, len(self._uids), SLICE_ROWS):
            sizes, marks = self._sizes[start : start + SLICE_ROWS], self._marks[start : start + SLICE_ROWS]
            rows = zip(range(start + 1, start + 1 + len(sizes)), sizes, marks, strict=True)
            yield [(number, size) for number, size, mark in rows if not mark]

    def uid_slices(self) -> Iterator[dict[int, int]]:
        """Numbers by UID of what is not marked, in slices."""
        for start in range(0, len(self._uids), SLICE_ROWS):
            uids, marks = self._uids[start : start + SLICE_ROWS], self._marks[start : start + SLICE_ROWS]
            rows = zip(uids, range(start + 1, start + 1 + len(uids)), marks, strict=True)
            yield {uid: number for uid, number, mark in rows if not mark}
