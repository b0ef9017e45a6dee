"""
The queue's doors: what is kept, and who drives it.

Neighbours: `mail.queue_item` for the values, `store` implements IQueueStore, `queue` runs it, `delivery`
provides IDelivery.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from twisted.internet.defer import Deferred
from zope.interface import Interface

from ..mail.queue_item import Outcome, QueueItem, Settled
from ..mail.transaction import Transaction
from .store import IOpenBody


class IQueueStore(Interface):
    """Durable queue items. Each method is one commit. Items come into being by IMailStore.deliver."""

    def lease(owner: str, now: float, until: float, limit: int, busy: frozenset[str]) -> Deferred[Sequence[QueueItem]]:
        """
        Lease up to `limit` items that are due (or whose lease has ended) to `owner`, the longest due first.

        Items to a recipient domain in `busy` are passed over, so that one slow domain does not hide the others.
        """

    def renew(owner: str, item_ids: Sequence[int], until: float) -> Deferred[None]:
        """Put off the end of leases that `owner` holds."""

    def settle(now: float, settled: Sequence[Settled], follow_ups: Sequence[Transaction] = ()) -> Deferred[None]:
        """
        Record outcomes, and commit these transactions (bounces) with them as one.

        An item that its owner no longer holds is left alone: another tells what becomes of it. Delivered and failed
        items leave the queue; their bodies are swept once nothing needs them. Fails with: NotHeld, where there are
        `follow_ups` and an item is not held, since nobody may be told of that twice; then nothing is recorded, as where
        it fails as `deliver` does.
        """

    def next_due(now: float) -> Deferred[float | None]:
        """When the next item is due or a lease ends (not earlier than `now`), or None for an empty queue."""

    def release_leases(owner: str) -> Deferred[None]:
        """Make due at once what this owner holds: on start (what a crash left) and on stop."""

    def items(limit: int = 1000, after_item_id: int = 0) -> Deferred[Sequence[QueueItem]]:
        """Items by ascending id, without transcripts."""

    def item(item_id: int) -> Deferred[QueueItem]:
        """One item with its transcript. Fails with: NoSuchItem."""

    def retry(item_ids: Sequence[int] | None, now: float) -> Deferred[int]:
        """Make these (None: all, in as many commits as that takes) due now unless leased. Fires with how many."""

    def drop(item_ids: Sequence[int]) -> Deferred[int]:
        """Remove these without a word to anyone. Fires with how many; a leased item too."""

    def open_queued(body_id: int) -> Deferred[IOpenBody]:
        """Open a queued body, without any prefix. Fails with: NoSuchItem."""

    def watch_queue(listener: Callable[[], None]) -> None:
        """Call `listener` in the reactor's thread after a commit that made an item due."""


class IDelivery(Interface):
    """Tries to hand one message on to another node."""

    def destination(item: QueueItem) -> str:
        """The key under which items share connections and limits, e.g. the recipient's domain."""

    def deliver(items: Sequence[QueueItem]) -> Deferred[Sequence[Outcome]]:
        """
        Try these items: one message (one body, one sender) to recipients of one destination.

        Fires with an outcome per item, in order; never fails for a reason of the other side.
        """

    def stop() -> Deferred[None]:
        """Close idle connections at once, and those at work when their transaction has ended."""
