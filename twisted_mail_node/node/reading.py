"""Reading many messages where some may be damaged."""

from __future__ import annotations

from collections.abc import Sequence

from ..interfaces.store import IMailbox
from ..mail.columns import FetchItem
from ..mail.errors import Damaged
from ..mail.uid_set import UIDSet


async def contents_of(mailbox: IMailbox, uids: Sequence[int]) -> dict[int, bytes | None]:
    """Bodies by UID; None for one that is large, or damaged."""
    try:
        read = await mailbox.fetch(UIDSet.of(uids), FetchItem.BODY)
    except Damaged:
        if len(uids) == 1:
            return {uids[0]: None}
        middle = len(uids) // 2
        return {**await contents_of(mailbox, uids[:middle]), **await contents_of(mailbox, uids[middle:])}
    return dict(zip(read.uids, read.bodies or (), strict=True))
