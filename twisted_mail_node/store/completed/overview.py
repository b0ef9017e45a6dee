"""
What SELECT tells of a mailbox beyond its counters, where the store has no index for it: looked up in all flags, in
slices, and the keywords remembered together with the modseq at which they were right.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable

from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater

from ...interfaces.required_store import IBasicMailbox
from ...mail.columns import FetchItem
from ...mail.flags import Flags
from ...mail.uid_set import UIDSet
from .memory import MailboxKey, Overviews

ROWS = 2000
"""Flags looked at before others have their turn: about a millisecond."""


class MadeOverview:
    """Keywords and the first unseen message of one mailbox."""

    def __init__(self, mailbox: IBasicMailbox, key: MailboxKey, overviews: Overviews, clock: IReactorTime) -> None:
        self._mailbox = mailbox
        self._key = key
        self._overviews = overviews
        self._clock = clock

    async def keywords(self) -> list[str]:
        """See IOverview. Reads all flags only where keywords may have gone since it was last asked."""
        overview = self._overviews.of(self._key)
        modseq = (await self._mailbox.status()).highest_modseq
        known = overview.keywords
        if known is None or modseq != overview.keywords_modseq:
            known = await self._with_what_came(known, overview.keywords_modseq)
            if known is None:
                known = await self._looked_up()
            overview.keywords, overview.keywords_modseq = known, modseq
        return [known[name] for name in sorted(known)]

    async def first_unseen(self) -> int | None:
        """See IOverview."""
        if not (await self._mailbox.status()).unseen:
            return None
        async for uid, flags in self._every():
            if not flags.seen:
                return uid
        return None

    async def _with_what_came(self, known: dict[str, str] | None, since: int) -> dict[str, str] | None:
        """The keywords after what came; None where some may have gone."""
        if known is None:
            return None
        changes = await self._mailbox.changes(since)
        if known and (len(changes.flagged) or changes.vanished):
            return None
        return known | _by_name([*(changes.appended.flags or ()), *(changes.flagged.flags or ())])

    async def _looked_up(self) -> dict[str, str]:
        found: dict[str, str] = {}
        async for _, flags in self._every():
            if flags.keywords:
                found |= _by_name((flags,))
        return found

    async def _every(self) -> AsyncIterator[tuple[int, Flags]]:
        """All messages' flags, ascending."""
        uids = await self._mailbox.uids()
        while uids:
            head = _head(uids)
            columns = await self._mailbox.fetch(head, FetchItem.FLAGS)
            for uid, flags in zip(columns.uids, columns.flags or (), strict=True):
                yield uid, flags
            uids = uids - head
            await deferLater(self._clock, 0)


def _head(uids: UIDSet) -> UIDSet:
    """The first ROWS of the set."""
    runs: list[tuple[int, int]] = []
    left = ROWS
    for first, last in uids.runs:
        runs.append((first, min(last, first + left - 1)))
        left -= runs[-1][1] - first + 1
        if not left:
            break
    return UIDSet.of_runs(runs)


def _by_name(every: Iterable[Flags]) -> dict[str, str]:
    return {keyword.lower(): keyword for flags in every for keyword in flags.keywords}
