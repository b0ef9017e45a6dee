"""
The queue's table: items, whose they are, and when each is due. Everything happens at once.

Items that may be leased are kept in a heap per recipient domain, so that a domain that is passed over costs
nothing; leases are kept in a heap by their end. A lease that has ended is taken away when
somebody asks for work, not before. Heaps are not searched: an entry that no longer tells the truth
about its item is dropped when it comes to the top.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from heapq import heapify, heappop, heappush
from itertools import islice

from ...mail.errors import NoSuchItem
from ...mail.queue_item import Deferred, ItemState, QueueItem, Settled
from ...mail.transaction import Outgoing
from .content import StoredBody


class QueueContents:
    """All queued items."""

    def __init__(self) -> None:
        self._items: dict[int, QueueItem] = {}  # ascending by id
        self._next_item_id = 1
        self._bodies: dict[int, tuple[StoredBody, int]] = {}  # by body id: the body, and how many items need it
        self._ready: dict[str, list[tuple[float, int]]] = {}  # by domain: (due, item id)
        self._leases: list[tuple[float, int]] = []  # (end, item id)

    # What comes and goes

    def add(self, transaction_id: str, now: float, outgoing: Iterable[tuple[Outgoing, StoredBody]]) -> list[int]:
        """Make items that are due now, unless they are to be held. Returns: their ids."""
        made: list[int] = []
        for wish, body in outgoing:
            item = QueueItem(
                item_id=self._next_item_id,
                transaction_id=transaction_id,
                body_id=body.body_id,
                body_size=len(body.content),
                header_size=body.header_size,
                eight_bit=body.eight_bit,
                body_type=wish.body_type,
                sender=wish.sender,
                recipient=wish.recipient,
                original_recipient=wish.original_recipient,
                state=ItemState.DUE,
                created=now,
                due=wish.due(now),
                placement=wish.placement,
                options=wish.options,
                recipient_options=wish.recipient_options,
            )
            self._next_item_id += 1
            self._bodies[body.body_id] = (body, self._bodies.get(body.body_id, (body, 0))[1] + 1)
            self._make_due(item)
            made.append(item.item_id)
        return made

    def drop(self, item_ids: Sequence[int]) -> int:
        """Remove items. Returns: how many there were."""
        present = [item_id for item_id in dict.fromkeys(item_ids) if item_id in self._items]
        for item_id in present:
            self._remove(item_id)
        return len(present)

    # Leases

    def lease(self, owner: str, now: float, until: float, limit: int, busy: frozenset[str]) -> list[QueueItem]:
        """Lease what is due, the longest due first."""
        self._end_leases(now)
        heads = [
            (*head, domain)
            for domain in list(self._ready)
            if domain not in busy and (head := self._head(domain)) is not None
        ]
        heapify(heads)
        leased: list[QueueItem] = []
        while heads and len(leased) < limit and heads[0][0] <= now:
            _, item_id, domain = heappop(heads)
            heappop(self._ready[domain])
            item = replace(self._items[item_id], state=ItemState.LEASED, lease_owner=owner, lease_until=until)
            self._items[item_id] = item
            heappush(self._leases, (until, item_id))
            leased.append(item)
            following = self._head(domain)
            if following is not None:
                heappush(heads, (*following, domain))
        return leased

    def renew(self, owner: str, item_ids: Sequence[int], until: float) -> None:
        """Put off the end of leases that the owner holds."""
        for item_id in item_ids:
            item = self._held(item_id, owner)
            if item is not None:
                self._items[item_id] = replace(item, lease_until=until)
                heappush(self._leases, (until, item_id))

    def not_held(self, settled: Sequence[Settled]) -> frozenset[int]:
        """Those of which another tells."""
        return frozenset(told.item_id for told in settled if self._held(told.item_id, told.lease_owner) is None)

    def settle(self, settled: Sequence[Settled]) -> None:
        """Record outcomes of items that are still held."""
        for told in settled:
            item = self._held(told.item_id, told.lease_owner)
            if item is None:
                continue
            outcome = told.outcome
            if not isinstance(outcome, Deferred):
                self._remove(item.item_id)
                continue
            self._make_due(
                replace(
                    _unleased(item),
                    due=told.next_due,
                    attempts=item.attempts + 1,
                    last_status=outcome.status,
                    last_reply=outcome.reply,
                    last_host=outcome.host,
                    transcript=outcome.transcript,
                )
            )

    def release(self, owner: str) -> int:
        """End all leases of the owner. Returns: how many."""
        held = [item for item in self._items.values() if item.state is ItemState.LEASED and item.lease_owner == owner]
        for item in held:
            self._make_due(_unleased(item))
        return len(held)

    def retry(self, item_ids: Sequence[int] | None, now: float) -> int:
        """Make items due now unless leased. Returns: how many."""
        self._end_leases(now)
        chosen = list(self._items) if item_ids is None else list(dict.fromkeys(item_ids))
        waiting = [item for item_id in chosen if (item := self._items.get(item_id)) and item.state is ItemState.DUE]
        for item in waiting:
            self._make_due(replace(item, due=min(item.due, now)))
        return len(waiting)

    # Questions

    def next_due(self, now: float) -> float | None:
        """When the next item is due or a lease ends, or None for an empty queue."""
        times = [head[0] for domain in list(self._ready) if (head := self._head(domain)) is not None]
        while self._leases and not self._is_lease(self._leases[0]):
            heappop(self._leases)
        times += [until for until, _ in self._leases[:1]]
        return max(now, min(times)) if times else None

    def items(self, limit: int, after_item_id: int) -> list[QueueItem]:
        """Items by ascending id, without transcripts."""
        later = (item for item_id, item in self._items.items() if item_id > after_item_id)
        return [replace(item, transcript="") for item in islice(later, limit)]

    def item(self, item_id: int) -> QueueItem:
        """One item. Raises: NoSuchItem."""
        try:
            return self._items[item_id]
        except KeyError:
            raise NoSuchItem("no such item in the queue") from None

    def body(self, body_id: int) -> StoredBody:
        """A body that an item needs. Raises: NoSuchItem."""
        try:
            return self._bodies[body_id][0]
        except KeyError:
            raise NoSuchItem("no item in the queue has this body") from None

    # The heaps

    def _make_due(self, item: QueueItem) -> None:
        self._items[item.item_id] = item
        heappush(self._ready.setdefault(item.recipient.domain, []), (item.due, item.item_id))

    def _end_leases(self, now: float) -> None:
        """Take away the leases whose end has come."""
        while self._leases and self._leases[0][0] <= now:
            entry = heappop(self._leases)
            if self._is_lease(entry):
                self._make_due(_unleased(self._items[entry[1]]))

    def _is_lease(self, entry: tuple[float, int]) -> bool:
        """Whether an entry of the leases' heap tells the truth."""
        item = self._items.get(entry[1])
        return item is not None and item.state is ItemState.LEASED and item.lease_until == entry[0]

    def _head(self, domain: str) -> tuple[float, int] | None:
        """The longest due entry of a domain, or None."""
        heap = self._ready[domain]
        while heap:
            due, item_id = heap[0]
            item = self._items.get(item_id)
            if item is not None and item.state is ItemState.DUE and item.due == due:
                return heap[0]
            heappop(heap)
        del self._ready[domain]
        return None

    def _held(self, item_id: int, owner: str) -> QueueItem | None:
        item = self._items.get(item_id)
        return item if item and item.state is ItemState.LEASED and item.lease_owner == owner else None

    def _remove(self, item_id: int) -> None:
        body_id = self._items.pop(item_id).body_id
        body, users = self._bodies.pop(body_id)
        if users > 1:
            self._bodies[body_id] = (body, users - 1)


def _unleased(item: QueueItem) -> QueueItem:
    return replace(item, state=ItemState.DUE, lease_owner="", lease_until=0.0)
