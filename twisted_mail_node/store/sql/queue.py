"""
What reads and writes the queue's tables. Indexes lead to what is due and to what is leased, so that the size of the
queue does not matter; the last transcript has a table of its own.

A lease that has ended stays in its row until somebody asks for work. What is due is found by readers: the writer,
for whom every accepted message waits, only marks what they found. Neighbours: `deliveries` adds items.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from heapq import merge
from itertools import islice
from json import dumps
from typing import Any

from ...mail.address import Address
from ...mail.envelope import BodyType
from ...mail.errors import NoSuchItem, NotHeld
from ...mail.queue_item import Deferred, ItemState, QueueItem, Settled
from ...mail.status import EnhancedStatus
from ...mail.transaction import Transaction
from . import options
from .connection import Connection, Value
from .deliveries import deliver_unless_known
from .placements import read
from .state import WriteState

_ITEMS = (
    "SELECT q.item, q.transaction_id, q.body, b.size, b.header_size, b.eight_bit, q.body_type, q.sender_local, "
    "q.sender_domain, q.recipient_local, q.recipient_domain, q.original_local, q.original_domain, q.created, q.due, "
    "q.attempts, q.lease_owner, q.lease_until, q.last_status, q.last_reply, q.last_host, q.placement, "
    + ", ".join(f"q.{column}" for column in options.COLUMNS)
    + " FROM queue q JOIN body b ON b.body = q.body "
)
_OF_JSON = "WHERE q.item IN (SELECT value FROM numbers_in(?))"

LOOK_AHEAD = 2000
"""How many due items are looked at in the order of their time before busy domains are passed over by index."""

RETRY_SLICE = 1000
"""How many items one commit makes due at the most."""

# From one domain to the next by index, and the time of the first item of each.
_FIRST_DOMAINS = (
    "WITH RECURSIVE known(name) AS ("
    "SELECT min(recipient_domain) FROM queue WHERE lease_owner = '' UNION ALL "
    "SELECT (SELECT min(recipient_domain) FROM queue WHERE lease_owner = '' AND recipient_domain > known.name) "
    "FROM known WHERE known.name IS NOT NULL), "
    "first(name, due) AS (SELECT name, "
    "(SELECT min(q.due) FROM queue q WHERE q.lease_owner = '' AND q.recipient_domain = known.name) "
    "FROM known WHERE name IS NOT NULL AND name NOT IN (SELECT value FROM texts_in(:busy))) "
    "SELECT name FROM first WHERE due <= :now ORDER BY due LIMIT :limit"
)


# Any: the schema is strict, so the types are what they were when written.
def _item(row: tuple[Any, ...], transcript: str = "") -> QueueItem:
    (item, transaction, body, size, header_size, eight_bit, body_type, *addresses) = row[:13]
    created, due, attempts, owner, until, status, reply, host, placement = row[13:22]
    mail_options, recipient_options = options.read(row[22:])
    sender, recipient, original = (_address(*addresses[at : at + 2]) for at in (0, 2, 4))
    assert recipient is not None
    return QueueItem(
        item_id=item,
        transaction_id=transaction,
        body_id=body,
        body_size=size,
        header_size=header_size,
        eight_bit=bool(eight_bit),
        body_type=BodyType(body_type),
        sender=sender,
        recipient=recipient,
        original_recipient=original,
        state=ItemState.LEASED if owner else ItemState.DUE,
        created=created,
        due=due,
        attempts=attempts,
        lease_owner=owner,
        lease_until=until,
        last_status=EnhancedStatus.parse(str(status)) if status else None,
        last_reply=reply,
        last_host=host,
        transcript=transcript,
        placement=read(placement),
        options=mail_options,
        recipient_options=recipient_options,
    )


# -- finding what is due: in the readers' threads, since it takes as long as the queue is deep --------------------


def find_due(connection: Connection, now: float, limit: int, busy: frozenset[str]) -> Sequence[QueueItem] | None:
    """What IQueueStore.lease would lease now, the longest due first; None where `end_leases` has to come first."""
    if connection.find("SELECT 1 FROM queue WHERE lease_owner <> '' AND lease_until <= ? LIMIT 1", (now,)):
        return None
    chosen = _due(connection, now, limit, busy)
    if not chosen:
        return ()
    found = {row[0]: _item(row) for row in connection.every(_ITEMS + _OF_JSON, (dumps(chosen),))}
    return [found[number] for number in chosen]


def _due(connection: Connection, now: float, limit: int, busy: frozenset[str]) -> list[int]:
    first = connection.every(
        "SELECT item, recipient_domain FROM queue WHERE lease_owner = '' AND due <= ? ORDER BY due, item LIMIT ?",
        (now, limit + LOOK_AHEAD if busy else limit),
    )
    chosen = [item for item, domain in first if domain not in busy][:limit]
    if len(chosen) == limit or len(first) < limit + LOOK_AHEAD:
        return chosen
    # Slow domains are in front: take the others one by one, from as many domains as could be wanted.
    domains = connection.every(_FIRST_DOMAINS, {"busy": dumps(sorted(busy)), "now": now, "limit": limit})
    waiting = [_of_domain(connection, domain, now) for (domain,) in domains]
    return [item for _, item in islice(merge(*waiting), limit)]


def _of_domain(connection: Connection, domain: str, now: float) -> Iterator[tuple[float, int]]:
    after = (float("-inf"), 0)
    while row := connection.find(
        "SELECT due, item FROM queue WHERE lease_owner = '' AND recipient_domain = ? AND due <= ? "
        "AND (due, item) > (?, ?) ORDER BY due, item LIMIT 1",
        (domain, now, *after),
    ):
        after = row
        yield row


# -- in the writer's thread -----------------------------------------------------------------------------------


def end_leases(state: WriteState, now: float) -> None:
    """Make those items wait again whose leases have ended."""
    state.run(
        "UPDATE queue SET lease_owner = '', lease_until = 0.0 WHERE lease_owner <> '' AND lease_until <= ?", (now,)
    )


def leasing(
    owner: str, now: float, until: float, found: Sequence[QueueItem]
) -> Callable[[WriteState], Sequence[QueueItem]]:
    """The operation that leases those of the items found that are still to be had."""
    return lambda state: _lease(state, owner, now, until, found)


def _lease(state: WriteState, owner: str, now: float, until: float, found: Sequence[QueueItem]) -> Sequence[QueueItem]:
    taken = {
        row[0]
        for row in state.connection.every(
            "UPDATE queue SET lease_owner = ?, lease_until = ? WHERE item IN (SELECT item FROM queue WHERE item IN "
            "(SELECT value FROM numbers_in(?)) AND lease_owner = '' AND due <= ? FOR UPDATE SKIP LOCKED) "
            "RETURNING item",
            (owner, until, dumps([item.item_id for item in found]), now),
        )
    }
    return [
        replace(item, state=ItemState.LEASED, lease_owner=owner, lease_until=until)
        for item in found
        if item.item_id in taken
    ]


def renew(state: WriteState, owner: str, item_ids: Sequence[int], until: float) -> None:
    """IQueueStore.renew."""
    state.run(
        "UPDATE queue SET lease_until = ? WHERE lease_owner = ? AND lease_owner <> '' "
        "AND item IN (SELECT value FROM numbers_in(?))",
        (until, owner, dumps(list(item_ids))),
    )


def settle(state: WriteState, now: float, settled: Sequence[Settled], follow_ups: Sequence[Transaction]) -> None:
    """IQueueStore.settle."""
    lost = []
    for told in settled:
        if isinstance(told.outcome, Deferred):
            if not _put_off(state, now, told, told.outcome):
                lost.append(told.item_id)
        else:
            row = state.connection.every(
                "DELETE FROM queue WHERE item = ? AND lease_owner = ? AND lease_owner <> '' RETURNING body",
                (told.item_id, told.lease_owner),
            )
            if row:
                _left(state, told.item_id, row[0][0])
            else:
                lost.append(told.item_id)
    if lost and follow_ups:
        raise NotHeld(frozenset(lost))
    for transaction in follow_ups:
        deliver_unless_known(state, transaction)


def _put_off(state: WriteState, now: float, told: Settled, outcome: Deferred) -> bool:
    """Let the item wait for its next try; False where it is not held."""
    put_off = state.run(
        "UPDATE queue SET lease_owner = '', lease_until = 0.0, due = ?, attempts = attempts + 1, last_status = ?, "
        "last_reply = ?, last_host = ? WHERE item = ? AND lease_owner = ? AND lease_owner <> ''",
        (told.next_due, str(outcome.status), outcome.reply, outcome.host, told.item_id, told.lease_owner),
    )
    if not put_off:
        return False
    state.run(
        "INSERT INTO transcript VALUES (?, ?) ON CONFLICT (item) DO UPDATE SET dialogue = excluded.dialogue",
        (told.item_id, outcome.transcript),
    )
    if told.next_due <= now:
        state.queue_grew = True
    return True


def _left(state: WriteState, item: int, body: int) -> None:
    state.run("DELETE FROM transcript WHERE item = ?", (item,))
    state.user_lost((body,))


def release_leases(state: WriteState, owner: str) -> None:
    """IQueueStore.release_leases."""
    if state.run(
        "UPDATE queue SET lease_owner = '', lease_until = 0.0 WHERE lease_owner <> '' AND lease_owner = ?", (owner,)
    ):
        state.queue_grew = True


def retry(state: WriteState, item_ids: Sequence[int], now: float) -> int:
    """IQueueStore.retry, of these."""
    end_leases(state, now)
    which: dict[str, Value] = {"now": now, "items": dumps(list(item_ids))}
    chosen = "lease_owner = '' AND item IN (SELECT value FROM numbers_in(:items))"
    count = int(state.connection.one(f"SELECT count(*) FROM queue WHERE {chosen}", which)[0])
    state.run(f"UPDATE queue SET due = :now WHERE {chosen} AND due > :now", which)
    if count:
        state.queue_grew = True
    return count


def drop(state: WriteState, item_ids: Sequence[int]) -> int:
    """IQueueStore.drop."""
    rows = state.connection.every(
        "DELETE FROM queue WHERE item IN (SELECT value FROM numbers_in(?)) RETURNING item, body",
        (dumps(list(item_ids)),),
    )
    for item, body in rows:
        _left(state, item, body)
    return len(rows)


# -- in the readers' threads ----------------------------------------------------------------------------------


def next_due(connection: Connection, now: float) -> float | None:
    """IQueueStore.next_due."""
    times = connection.one(
        "SELECT (SELECT min(due) FROM queue WHERE lease_owner = ''), "
        "(SELECT min(lease_until) FROM queue WHERE lease_owner <> '')",
    )
    known = [time for time in times if time is not None]
    return max(now, min(known)) if known else None


def item_ids(connection: Connection, limit: int, after_item_id: int) -> list[int]:
    """The items' ids, ascending."""
    return [
        row[0]
        for row in connection.every(
            "SELECT item FROM queue WHERE item > ? ORDER BY item LIMIT ?", (after_item_id, limit)
        )
    ]


def items(connection: Connection, limit: int, after_item_id: int) -> list[QueueItem]:
    """IQueueStore.items."""
    rows = connection.every(_ITEMS + "WHERE q.item > ? ORDER BY q.item LIMIT ?", (after_item_id, limit))
    return [_item(row) for row in rows]


def item(connection: Connection, item_id: int) -> QueueItem:
    """IQueueStore.item."""
    row = connection.find(_ITEMS + "WHERE q.item = ?", (item_id,))
    if row is None:
        raise NoSuchItem("no such item in the queue")
    dialogue = connection.find("SELECT dialogue FROM transcript WHERE item = ?", (item_id,))
    return _item(row, dialogue[0] if dialogue else "")


def check_body(connection: Connection, body: int) -> None:
    """Raises NoSuchItem where no item has this body."""
    if connection.find("SELECT 1 FROM queue WHERE body = ? LIMIT 1", (body,)) is None:
        raise NoSuchItem("no item in the queue has this body")


def _address(local_part: object, domain: object) -> Address | None:
    return None if local_part is None else Address(str(local_part), str(domain))
