"""
The transaction: what one accepted message does, all of it or nothing. Source: architecture of the commit point;
RFC 5321 §6.1 (what 250 after end of data promises).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from .address import Address
from .columns import InternalDate
from .envelope import BodyType
from .flags import NO_FLAGS, Flags
from .message_keys import MessageKeys
from .options import NO_MAIL_OPTIONS, NO_RECIPIENT_OPTIONS, MailOptions, Notify, RecipientOptions


@dataclass(frozen=True, slots=True)
class Body:
    """
    A message as it will rest: CRLF line ends, trace header in front, immutable.

    Either `content` holds it (up to INLINE_BODY_OCTETS) or `staged` names what a body writer of the same store
    finished. `size` is in octets; `header_size` counts the header block with its empty line. `eight_bit` says
    that an octet above 127 occurs, so that 8BITMIME is needed on the way out.
    """

    size: int
    header_size: int
    content: bytes | None = None
    staged: str | None = None
    eight_bit: bool = False
    envelope: bytes | None = None
    """The ENVELOPE in IMAP wire form, where the maker of the body had it at hand."""
    keys: MessageKeys | None = None
    """What SORT and THREAD compare, where the maker of the body had it at hand."""


@dataclass(frozen=True, slots=True)
class Placement:
    """
    One message into one mailbox of one account.

    `body` is the position in the transaction's bodies. `prefix` are header lines of this recipient alone
    (Return-Path, Delivered-To), with CRLF. A mailbox that does not exist becomes INBOX where `or_inbox`.

    `sender` and `recipient` (the address that the sender wrote), and what was asked for with them, are for the report,
    where the placement has to wait in a queue and cannot be made in the end, or where success is to be told; a store
    that makes it at once has no use for them.
    """

    account: str
    mailbox: str
    body: int
    internal_date: InternalDate
    flags: Flags = NO_FLAGS
    prefix: bytes = b""
    or_inbox: bool = True
    sender: Address | None = None
    recipient: Address | None = None
    options: MailOptions = NO_MAIL_OPTIONS
    recipient_options: RecipientOptions = NO_RECIPIENT_OPTIONS


@dataclass(frozen=True, slots=True)
class Outgoing:
    """
    One recipient of a body elsewhere, or behind the queue: becomes one queue item.

    `original_recipient` is the address that the sender wrote, where an alias led away from it. With `placement`, the
    body is for a mailbox here, whose store does not hold the queue; its own position in `bodies` means nothing then,
    nor do its options. The item is due at once, or when `options.hold_until` says.
    """

    body: int
    sender: Address | None
    recipient: Address
    original_recipient: Address | None = None
    body_type: BodyType = BodyType.SEVEN_BIT
    placement: Placement | None = None
    options: MailOptions = NO_MAIL_OPTIONS
    recipient_options: RecipientOptions = NO_RECIPIENT_OPTIONS

    def due(self, now: float) -> float:
        """When an item made now is due for the first time. Source: RFC 4865 §4."""
        held = self.options.hold_until
        return now if held is None else max(now, held)


def outgoing_report(position: int, body: Body, recipient: Address, original: Address | None = None) -> Outgoing:
    """
    A report to a sender elsewhere, whose body is at this position. It comes from nobody, and nobody is told of it.

    Source: RFC 3461 §6.1.
    """
    header = (body.content or b"")[: body.header_size]
    return Outgoing(
        position,
        None,
        recipient,
        original,
        BodyType.EIGHT_BIT_MIME if body.eight_bit else BodyType.SEVEN_BIT,
        options=MailOptions(smtputf8=not header.isascii()),
        recipient_options=RecipientOptions(notify=Notify.NEVER),
    )


@dataclass(frozen=True, slots=True)
class Transaction:
    """
    What becomes real as a whole, or not at all.

    `id` is unique for ever (it is the queue id of the trace header): a second `deliver` with the id of a
    committed transaction changes nothing and gives the same outcome. `now` is the time of acceptance in
    seconds since the epoch.
    """

    id: str
    now: float
    bodies: tuple[Body, ...]
    placements: tuple[Placement, ...] = ()
    queue: tuple[Outgoing, ...] = ()

    def through_queue(self) -> Transaction:
        """The same for a queue alone: each placement as an item, in front of those for elsewhere."""
        if not self.placements:
            return self
        items = tuple(_waiting(placement) for placement in self.placements)
        return replace(self, placements=(), queue=(*items, *self.queue))


def _waiting(placement: Placement) -> Outgoing:
    recipient = Address.parse(placement.account)
    written = placement.recipient
    original = None if written is None or written.key == recipient.key else written
    waiting = replace(
        placement,
        body=0,
        sender=None,
        recipient=None,
        options=NO_MAIL_OPTIONS,
        recipient_options=NO_RECIPIENT_OPTIONS,
    )
    return Outgoing(
        placement.body,
        placement.sender,
        recipient,
        original,
        placement=waiting,
        options=placement.options,
        recipient_options=placement.recipient_options,
    )


@dataclass(frozen=True, slots=True)
class Placed:
    """Where a placement came to rest."""

    mailbox_id: int
    uid_validity: int
    uid: int


@dataclass(frozen=True, slots=True)
class Committed:
    """The outcome of a transaction: one Placed per placement, one item id per outgoing recipient, in order."""

    placed: tuple[Placed, ...]
    item_ids: tuple[int, ...]
