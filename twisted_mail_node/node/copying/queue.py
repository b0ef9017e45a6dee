"""
The queue: every message with the recipients that still wait for it, as a transaction with the id that it had.

An entry begins anew there: it is due at once, unless it is to be held, and counts its tries from none; when it was
accepted, and so when it is given up, stays.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from ...interfaces.queue import IQueueStore
from ...mail.queue_item import QueueItem
from ...mail.transaction import Body, Outgoing, Transaction
from ..doors import Doors
from .mailboxes import staged

Key = tuple[str, str]
"""What tells an entry in whatever store: the id of its transaction, and its recipient."""


async def queued(queue: IQueueStore) -> set[Key]:
    """The entries of a queue."""
    return {(item.transaction_id, str(item.recipient)) for item in await _items(queue)}


async def _items(queue: IQueueStore) -> list[QueueItem]:
    found: list[QueueItem] = []
    while page := await queue.items(after_item_id=found[-1].item_id if found else 0):
        found += page
    return found


async def copy_queue(source: Doors, target: Doors) -> int:
    """Copy the entries of transactions that the target has none of. Gives how many."""
    there = {transaction_id for transaction_id, _ in await queued(target.queue)}
    transactions: dict[str, list[QueueItem]] = defaultdict(list)
    for item in await _items(source.queue):
        if item.transaction_id not in there:
            transactions[item.transaction_id].append(item)
    for items in transactions.values():
        await target.store.deliver(await _transaction(source, target, items))
    return sum(map(len, transactions.values()))


async def _transaction(source: Doors, target: Doors, items: Sequence[QueueItem]) -> Transaction:
    bodies: dict[int, Body] = {}
    for item in items:
        if item.body_id not in bodies:
            bodies[item.body_id] = await _body(source, target, item)
    positions = {body_id: position for position, body_id in enumerate(bodies)}
    return Transaction(
        items[0].transaction_id,
        items[0].created,
        tuple(bodies.values()),
        queue=tuple(
            Outgoing(
                positions[item.body_id],
                item.sender,
                item.recipient,
                item.original_recipient,
                item.body_type,
                item.placement,
                item.options,
                item.recipient_options,
            )
            for item in items
        ),
    )


async def _body(source: Doors, target: Doors, item: QueueItem) -> Body:
    opened = await source.queue.open_queued(item.body_id)
    try:
        return await staged(opened, target.store)
    finally:
        opened.close()
