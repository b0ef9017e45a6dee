"""
Queue items: one recipient of one message that waits for another node, or for a mailbox behind the queue. States
and outcomes are closed sets.

Sources: RFC 5321 §4.5.4.1 (retry), RFC 3464 (what a report tells). The table of states is in docs/flow.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from .address import Address
from .envelope import BodyType
from .options import NO_MAIL_OPTIONS, NO_RECIPIENT_OPTIONS, MailOptions, RecipientOptions
from .status import EnhancedStatus
from .transaction import Placement


class ItemState(Enum):
    """
    Where an item stands: waiting for its time, leased to a runner, or at its end.

    DUE covers "deferred" as well: `attempts` and `last_reply` tell that a try was made and when the next comes.
    """

    DUE = "due"
    LEASED = "leased"
    DELIVERED = "delivered"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class QueueItem:
    """
    One recipient of one queued message.

    Times are seconds since the epoch. `transaction_id` is the queue id of the trace header and common to all
    recipients of one message. `lease_owner` is "" unless LEASED; the lease ends by itself at `lease_until`.
    `last_reply` is the text of the last attempt's reply or failure, `last_host` where it was made,
    `transcript` the SMTP dialogue of the last attempt (no AUTH argument, no content). With `placement`, the message
    is for a mailbox here. `options` and `recipient_options` are what the client asked for.
    """

    item_id: int
    transaction_id: str
    body_id: int
    body_size: int
    header_size: int
    eight_bit: bool
    body_type: BodyType
    sender: Address | None
    recipient: Address
    original_recipient: Address | None
    state: ItemState
    created: float
    due: float
    attempts: int = 0
    lease_owner: str = ""
    lease_until: float = 0.0
    last_status: EnhancedStatus | None = None
    last_reply: str = ""
    last_host: str = ""
    transcript: str = ""
    placement: Placement | None = None
    options: MailOptions = NO_MAIL_OPTIONS
    recipient_options: RecipientOptions = NO_RECIPIENT_OPTIONS


@dataclass(frozen=True, slots=True)
class Delivered:
    """
    The next host took responsibility for this recipient.

    `reports` says that it does what the sender asked for about reports: nothing is left for us to tell (RFC 3461
    §5.2.1). Nobody else reports what was put into a mailbox here.
    """

    reply: str
    host: str
    transcript: str = ""
    reports: bool = False


@dataclass(frozen=True, slots=True)
class Deferred:
    """Not this time; trying again may succeed. `host` is "" when none was reached."""

    status: EnhancedStatus
    reply: str
    host: str = ""
    transcript: str = ""


@dataclass(frozen=True, slots=True)
class Failed:
    """Never; the sender is told."""

    status: EnhancedStatus
    reply: str
    host: str = ""
    transcript: str = ""


Outcome = Delivered | Deferred | Failed


@dataclass(frozen=True, slots=True)
class Settled:
    """
    What a runner says of an item it has leased.

    `next_due` is when to try again, for Deferred only. The item goes on only if `lease_owner` still holds it.
    """

    item_id: int
    lease_owner: str
    outcome: Outcome
    next_due: float = 0.0
