"""
What the client's engine is to send for items of the queue: one message, and what was asked for it.

It decides what the message needs of a host; whether the host offers it is the engine's. Neighbours: `remote` asks.
Sources: RFC 6531 §3.2 (which message needs SMTPUTF8), RFC 3461 §5.2.1 (parameters of DSN on the way).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..interfaces.queue import IQueueStore
from ..interfaces.store import IOpenBody
from ..mail.envelope import BodyType
from ..mail.queue_item import QueueItem
from ..wire.smtp.client_events import Addressed, Message
from ..wire.smtp.original_recipient import original_recipient


async def needs_smtputf8_for_header(item: QueueItem, store: IQueueStore) -> bool:
    """
    Whether the header is beyond ASCII, as its sender said that it may be; who said so may not have needed it.

    Raises: as IQueueStore.open_queued, and what reading fails with.
    """
    if not item.options.smtputf8 or not item.eight_bit:
        return False
    body: IOpenBody = await store.open_queued(item.body_id)
    try:
        header: bytes = await body.read(0, item.header_size)
    finally:
        body.close()
    return not header.isascii()


def message_for(items: Sequence[QueueItem], *, international: bool) -> Message:
    """The message of these items, all of one body and sender; `international` as `needs_smtputf8_for_header` says."""
    first = items[0]
    return Message(
        first.sender,
        [_addressed(item) for item in items],
        first.body_size,
        _body_type(first),
        international=international,
        options=first.options,
    )


def _addressed(item: QueueItem) -> Addressed:
    """RFC 3461 §5.2.1 (d): where none came with it, ORCPT is the address that this node was given."""
    options = item.recipient_options
    if options.original is None and item.original_recipient is not None:
        options = replace(options, original=original_recipient(item.original_recipient))
    return Addressed(item.recipient, options)


def _body_type(item: QueueItem) -> BodyType:
    if item.body_type is BodyType.BINARY_MIME:
        return BodyType.BINARY_MIME
    return BodyType.EIGHT_BIT_MIME if item.eight_bit else BodyType.SEVEN_BIT
