"""
INBOX as it is at a login: UIDs and sizes, kept from one login to the next.

A client that polls a mailbox of 200,000 messages costs a look at its counters, and the rows that are new. Neighbours:
`maildrop` numbers a snapshot for one session.

Why the counters are enough: UIDs only grow and messages never change (RFC 3501 §2.3.1.1), so kept rows and those
with newer UIDs hold all that is there, and perhaps some that were expunged since; their number tells.
"""

from __future__ import annotations

from array import array
from collections import OrderedDict
from dataclasses import dataclass
from itertools import islice

from ...interfaces.store import IMailbox
from ...mail.changes import MailboxStatus
from ...mail.columns import FetchItem
from ...mail.uid_set import UIDSet

# Rows asked for at a time: some hundred microseconds of work.
SLICE_ROWS = 4000
# All kept snapshots together, at twelve octets a row.
MAX_KEPT_ROWS = 1_000_000
# Smaller mailboxes are as quick to ask for again.
MIN_KEPT_ROWS = 100


@dataclass(frozen=True, slots=True)
class Snapshot:
    """
    The messages of a mailbox at one moment, ascending by UID. Shared by sessions, and never changed.

    `uid_next` is above all UIDs that had been given by then.
    """

    uid_validity: int
    uid_next: int
    uids: array[int]
    sizes: array[int]
    octets: int

    def __len__(self) -> int:
        return len(self.uids)


class Snapshots:
    """Takes snapshots, and keeps those of large mailboxes, the least recently used going first."""

    def __init__(self, max_kept_rows: int = MAX_KEPT_ROWS) -> None:
        self._kept: OrderedDict[tuple[str, int], Snapshot] = OrderedDict()
        self._kept_rows = 0
        self._max_kept_rows = max_kept_rows

    @property
    def kept_rows(self) -> int:
        """How many rows are kept in all."""
        return self._kept_rows

    async def take(self, mailbox: IMailbox) -> Snapshot:
        """The mailbox as it is now. Fails as IMailbox does."""
        key = (mailbox.account, mailbox.mailbox_id)
        status = await mailbox.status()
        kept = self._kept.get(key)
        snapshot = None
        if kept is not None and kept.uid_validity == status.uid_validity:
            snapshot = await self._grown(mailbox, kept, status)
        if snapshot is None:
            snapshot = await self._whole(mailbox, status)
        if len(snapshot) == status.messages:
            self._keep(key, snapshot)
        return snapshot

    async def _grown(self, mailbox: IMailbox, kept: Snapshot, status: MailboxStatus) -> Snapshot | None:
        """What is kept with what is new, or None where messages have gone or too many have come."""
        new_rows = status.messages - len(kept)
        if not 0 <= new_rows <= SLICE_ROWS or status.uid_next - kept.uid_next < new_rows:
            return None
        if status.uid_next == kept.uid_next:
            return kept if new_rows == 0 else None
        columns = await mailbox.fetch(UIDSet.span(kept.uid_next, status.uid_next - 1), FetchItem.SIZE)
        if len(columns) != new_rows:
            return None
        return _snapshot(status, kept.uids + array("I", columns.uids), kept.sizes + array("Q", columns.sizes or ()))

    async def _whole(self, mailbox: IMailbox, status: MailboxStatus) -> Snapshot:
        uids, sizes = array("I"), array("Q")
        there = await mailbox.uids()
        # What came after the counters were read is for the next session.
        remaining = iter(there & UIDSet.span(1, status.uid_next - 1))
        while asked := list(islice(remaining, SLICE_ROWS)):
            columns = await mailbox.fetch(UIDSet.of(asked), FetchItem.SIZE)
            uids.extend(columns.uids)
            sizes.extend(columns.sizes or ())
        return _snapshot(status, uids, sizes)

    def _keep(self, key: tuple[str, int], snapshot: Snapshot) -> None:
        before = self._kept.pop(key, None)
        if before is not None:
            self._kept_rows -= len(before)
        if not MIN_KEPT_ROWS <= len(snapshot) <= self._max_kept_rows:
            return
        self._kept[key] = snapshot
        self._kept_rows += len(snapshot)
        while self._kept_rows > self._max_kept_rows:
            _, forgotten = self._kept.popitem(last=False)
            self._kept_rows -= len(forgotten)


def _snapshot(status: MailboxStatus, uids: array[int], sizes: array[int]) -> Snapshot:
    return Snapshot(status.uid_validity, status.uid_next, uids, sizes, sum(sizes))
