"""
What reads and writes the queue's tables. Indexes lead to what is due and to what is leased, so that the size of the
queue does not matter; the last transcript has a table of its own.

A lease that has ended stays in its row until somebody asks for work. Neighbours: `deliveries` adds items.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from heapq import heapify, heappop, heappush
from json import dumps
from typing import Any

import apsw

from ...mail.address import Address
from ...mail.envelope import BodyType
from ...mail.errors import NoSuchItem
from ...mail.queue_item import Deferred, ItemState, QueueItem, Settled
from ...mail.status import EnhancedStatus
from ...mail.transaction import Transaction
from .deliveries import deliver_unless_known
from .sqlite import every, find, one
from .state import WriteState

_ITEMS = (
    "SELECT q.item, q.transaction_id, q.body, b.size, b.header_size, b.eight_bit, q.body_type, q.sender_local, "
    "q.sender_domain, q.recipient_local, q.recipient_domain, q.original_local, q.original_domain, q.created, q.due, "
    "q.attempts, q.lease_owner, q.lease_until, q.last_status, q.last_reply, q.last_host "
    "FROM queue q JOIN body b ON b.body = q.body "
)
_OF_JSON = "WHERE q.item IN (SELECT value FROM json_each(?))"

LOOK_AHEAD = 2000
"""How many due items are looked at in the order of their time before busy domains are passed over by index."""


# Any: the schema is strict, so the types are what they were when written.
def _item(row: tuple[Any, ...], transcript: str = "") -> QueueItem:
    (item, transaction, body, size, header_size, eight_bit, body_type, *addresses) = row[:13]
    created, due, attempts, owner, until, status, reply, host = row[13:]
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
    )


# -- in the writer's thread -----------------------------------------------------------------------------------


def lease(
    state: WriteState, owner: str, now: float, until: float, limit: int, busy: frozenset[str]
) -> Sequence[QueueItem]:
    """IQueueStore.lease."""
    _end_leases(state, now)
    chosen = _due(state, now, limit, busy)
    if not chosen:
        return ()
    numbers = dumps(chosen)
    state.execute(
        "UPDATE queue SET lease_owner = ?, lease_until = ? WHERE item IN (SELECT value FROM json_each(?))",
        (owner, until, numbers),
    )
    leased = {row[0]: _item(row) for row in every(state.connection, _ITEMS + _OF_JSON, (numbers,))}
    return [leased[number] for number in chosen]


def _end_leases(state: WriteState, now: float) -> None:
    state.execute(
        "UPDATE queue SET lease_owner = '', lease_until = 0.0 WHERE lease_owner <> '' AND lease_until <= ?", (now,)
    )


def _due(state: WriteState, now: float, limit: int, busy: frozenset[str]) -> list[int]:
    first = every(
        state.connection,
        "SELECT item, recipient_domain FROM queue WHERE lease_owner = '' AND due <= ? ORDER BY due, item LIMIT ?",
        (now, limit + LOOK_AHEAD if busy else limit),
    )
    chosen = [item for item, domain in first if domain not in busy][:limit]
    if len(chosen) == limit or len(first) < limit + LOOK_AHEAD:
        return chosen
    # Slow domains are in front: take the others one by one.
    heads = []
    for domain in _domains(state.connection):
        if domain not in busy:
            waiting = _of_domain(state.connection, domain, now)
            head = next(waiting, None)
            if head is not None:
                heads.append((*head, waiting))
    heapify(heads)
    chosen = []
    while heads and len(chosen) < limit:
        _, item, waiting = heappop(heads)
        chosen.append(item)
        head = next(waiting, None)
        if head is not None:
            heappush(heads, (*head, waiting))
    return chosen


def _domains(connection: apsw.Connection) -> Iterator[str]:
    domain = ""
    while row := find(
        connection,
        "SELECT recipient_domain FROM queue WHERE lease_owner = '' AND recipient_domain > ? "
        "ORDER BY recipient_domain LIMIT 1",
        (domain,),
    ):
        domain = row[0]
        yield domain


def _of_domain(connection: apsw.Connection, domain: str, now: float) -> Iterator[tuple[float, int]]:
    after = (float("-inf"), 0)
    while row := find(
        connection,
        "SELECT due, item FROM queue WHERE lease_owner = '' AND recipient_domain = ? AND due <= ? "
        "AND (due, item) > (?, ?) ORDER BY due, item LIMIT 1",
        (domain, now, *after),
    ):
        after = row
        yield row


def renew(state: WriteState, owner: str, item_ids: Sequence[int], until: float) -> None:
    """IQueueStore.renew."""
    state.execute(
        "UPDATE queue SET lease_until = ? WHERE lease_owner = ? AND lease_owner <> '' "
        "AND item IN (SELECT value FROM json_each(?))",
        (until, owner, dumps(list(item_ids))),
    )


def settle(state: WriteState, now: float, settled: Sequence[Settled], follow_ups: Sequence[Transaction]) -> None:
    """IQueueStore.settle."""
    for told in settled:
        if isinstance(told.outcome, Deferred):
            _put_off(state, now, told, told.outcome)
        else:
            row = every(
                state.connection,
                "DELETE FROM queue WHERE item = ? AND lease_owner = ? AND lease_owner <> '' RETURNING body",
                (told.item_id, told.lease_owner),
            )
            if row:
                _left(state, told.item_id, row[0][0])
    for transaction in follow_ups:
        deliver_unless_known(state, transaction)


def _put_off(state: WriteState, now: float, told: Settled, outcome: Deferred) -> None:
    state.execute(
        "UPDATE queue SET lease_owner = '', lease_until = 0.0, due = ?, attempts = attempts + 1, last_status = ?, "
        "last_reply = ?, last_host = ? WHERE item = ? AND lease_owner = ? AND lease_owner <> ''",
        (told.next_due, str(outcome.status), outcome.reply, outcome.host, told.item_id, told.lease_owner),
    )
    if not state.connection.changes():
        return
    state.execute("INSERT OR REPLACE INTO transcript VALUES (?, ?)", (told.item_id, outcome.transcript))
    if told.next_due <= now:
        state.queue_grew = True


def _left(state: WriteState, item: int, body: int) -> None:
    state.execute("DELETE FROM transcript WHERE item = ?", (item,))
    state.execute("INSERT OR IGNORE INTO orphan VALUES (?)", (body,))


def release_leases(state: WriteState, owner: str) -> None:
    """IQueueStore.release_leases."""
    state.execute(
        "UPDATE queue SET lease_owner = '', lease_until = 0.0 WHERE lease_owner <> '' AND lease_owner = ?", (owner,)
    )
    if state.connection.changes():
        state.queue_grew = True


def retry(state: WriteState, item_ids: Sequence[int] | None, now: float) -> int:
    """IQueueStore.retry."""
    _end_leases(state, now)
    chosen = "lease_owner = ''"
    which: dict[str, float | str] = {"now": now}
    if item_ids is not None:
        chosen += " AND item IN (SELECT value FROM json_each(:items))"
        which["items"] = dumps(list(item_ids))
    count = int(one(state.connection, f"SELECT count(*) FROM queue WHERE {chosen}", which)[0])
    state.execute(f"UPDATE queue SET due = :now WHERE {chosen} AND due > :now", which)
    if count:
        state.queue_grew = True
    return count


def drop(state: WriteState, item_ids: Sequence[int]) -> int:
    """IQueueStore.drop."""
    rows = every(
        state.connection,
        "DELETE FROM queue WHERE item IN (SELECT value FROM json_each(?)) RETURNING item, body",
        (dumps(list(item_ids)),),
    )
    for item, body in rows:
        _left(state, item, body)
    return len(rows)


# -- in the readers' threads ----------------------------------------------------------------------------------


def next_due(connection: apsw.Connection, now: float) -> float | None:
    """IQueueStore.next_due."""
    times = one(
        connection,
        "SELECT (SELECT min(due) FROM queue WHERE lease_owner = ''), "
        "(SELECT min(lease_until) FROM queue WHERE lease_owner <> '')",
    )
    known = [time for time in times if time is not None]
    return max(now, min(known)) if known else None


def items(connection: apsw.Connection, limit: int, after_item_id: int) -> list[QueueItem]:
    """IQueueStore.items."""
    rows = every(connection, _ITEMS + "WHERE q.item > ? ORDER BY q.item LIMIT ?", (after_item_id, limit))
    return [_item(row) for row in rows]


def item(connection: apsw.Connection, item_id: int) -> QueueItem:
    """IQueueStore.item."""
    row = find(connection, _ITEMS + "WHERE q.item = ?", (item_id,))
    if row is None:
        raise NoSuchItem("no such item in the queue")
    dialogue = find(connection, "SELECT dialogue FROM transcript WHERE item = ?", (item_id,))
    return _item(row, dialogue[0] if dialogue else "")


def check_body(connection: apsw.Connection, body: int) -> None:
    """Raises NoSuchItem where no item has this body."""
    if find(connection, "SELECT 1 FROM queue WHERE body = ? LIMIT 1", (body,)) is None:
        raise NoSuchItem("no item in the queue has this body")


def _address(local_part: object, domain: object) -> Address | None:
    return None if local_part is None else Address(str(local_part), str(domain))
