"""What the parts of the contract do over and over."""

from __future__ import annotations

from ...mail.queue_item import Outcome, Settled
from ...mail.status import EnhancedStatus
from ..backend import Backend
from ..samples import outgoing, transaction

NOBODY_BUSY: frozenset[str] = frozenset()
LATER = EnhancedStatus(4, 2, 2)
NEVER = EnhancedStatus(5, 1, 1)


async def enqueue(backend: Backend, *recipients: str, now: float = 100.0) -> list[int]:
    """One message to each of these, due at `now`. Returns: the items' ids."""
    ids: list[int] = []
    for recipient in recipients:
        ids += (await backend.store.deliver(transaction(outgoing(recipient), now=now))).item_ids
    return ids


async def lease(
    backend: Backend,
    owner: str = "one",
    now: float = 100.0,
    lifetime: float = 60.0,
    limit: int = 100,
    busy: frozenset[str] = NOBODY_BUSY,
) -> list[int]:
    """Lease what is due. Returns: the items' ids."""
    return [item.item_id for item in await backend.queue.lease(owner, now, now + lifetime, limit, busy)]


def settled(item_id: int, outcome: Outcome, owner: str = "one", next_due: float = 0.0) -> Settled:
    """What an owner says of an item."""
    return Settled(item_id, owner, outcome, next_due)


async def ids(backend: Backend) -> list[int]:
    """All items' ids."""
    return [item.item_id for item in await backend.queue.items()]


class Calls:
    """Counts how often it is called."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> None:
        self.count += 1
