"""What tests of messages share: short names, and a mailbox counted anew to hold its counters against."""

from __future__ import annotations

from ...interfaces.store import IMailbox
from ...mail.changes import MailboxStatus
from ...mail.columns import Columns, FetchItem
from ...mail.flags import FlagChange, Flags
from ...mail.uid_set import UIDSet

EVERYTHING = UIDSet.span(1, 2**32 - 1)
ADD, REMOVE, REPLACE = FlagChange.ADD, FlagChange.REMOVE, FlagChange.REPLACE


async def flags_by_uid(mailbox: IMailbox) -> dict[int, Flags]:
    """All messages' flags."""
    columns = await mailbox.fetch(await mailbox.uids(), FetchItem.FLAGS)
    return dict(zip(columns.uids, columns.flags or (), strict=True))


async def recounted(mailbox: IMailbox) -> MailboxStatus:
    """The counters, counted from the messages themselves where that is possible."""
    kept = await mailbox.status()
    columns = await mailbox.fetch(await mailbox.uids(), FetchItem.FLAGS | FetchItem.SIZE | FetchItem.MODSEQ)
    every = list(columns.flags or ())
    assert kept.highest_modseq >= max(columns.modseqs or (), default=0)
    assert kept.uid_next > max(columns.uids, default=0)
    return MailboxStatus(
        kept.mailbox_id,
        kept.uid_validity,
        kept.uid_next,
        len(every),
        sum(not each.seen for each in every),
        sum(each.deleted for each in every),
        sum(columns.sizes or ()),
        kept.highest_modseq,
        kept.recent_after,
    )


def pairs(columns: Columns) -> list[tuple[int, Flags]]:
    """UIDs with flags."""
    return list(zip(columns.uids, columns.flags or (), strict=True))
