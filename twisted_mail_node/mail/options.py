"""
What a client asked for with the parameters of MAIL and RCPT, beside sender and recipient: values that go with a
message into the queue and on to the next node.

Sources: RFC 3461 (RET, ENVID, NOTIFY, ORCPT); RFC 6531 (SMTPUTF8); RFC 8689 (REQUIRETLS); RFC 4865 (FUTURERELEASE);
RFC 2852 (DELIVERBY); RFC 6710 (MT-PRIORITY); RFC 4954 (AUTH=).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum, Flag


class Return(Enum):
    """How much of the message a report of failure gives back. Source: RFC 3461 §4.3."""

    FULL = "FULL"
    HEADERS = "HDRS"


class Notify(Flag):
    """When the sender wants a report of a recipient; NEVER stands alone. Source: RFC 3461 §4.1."""

    NEVER = 0
    SUCCESS = 1
    FAILURE = 2
    DELAY = 4


class ByMode(Enum):
    """What is done when the time has passed: give the message back, or tell and go on. Source: RFC 2852 §4."""

    RETURN = "R"
    NOTIFY = "N"


@dataclass(frozen=True, slots=True)
class DeliverBy:
    """Until when a message is to be delivered, in seconds since the epoch; `trace` wants to hear of relays too."""

    deadline: float
    mode: ByMode
    trace: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MailOptions:
    """
    What MAIL asked for.

    Attributes:
        smtputf8: addresses or header may be beyond ASCII: only to nodes that take it.
        ret: None leaves it to us.
        envelope_id: the sender's name for the message, xtext as it came.
        require_tls: to nodes that prove who they are under TLS, and promise the same.
        hold_until: not to be delivered before, in seconds since the epoch.
        deliver_by: None has no deadline but the queue's own.
        priority: -9 to 9; the higher is delivered first.
        submitter: who submitted it first, by the word of the client: xtext as it came, `<>` where that is unknown.
    """

    smtputf8: bool = False
    ret: Return | None = None
    envelope_id: str | None = None
    require_tls: bool = False
    hold_until: float | None = None
    deliver_by: DeliverBy | None = None
    priority: int = 0
    submitter: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipientOptions:
    """
    What RCPT asked for.

    Attributes:
        notify: None leaves it to us.
        original: the address as the sender first wrote it, type;xtext as it came.
    """

    notify: Notify | None = None
    original: str | None = None

    @property
    def wants_failure(self) -> bool:
        """Whether a failure is to be told; it is where nothing was said (RFC 3461 §4.1)."""
        return self.notify is None or Notify.FAILURE in self.notify

    @property
    def wants_success(self) -> bool:
        """Whether success is to be told; only where that was asked for (RFC 3461 §5.2.3)."""
        return self.notify is not None and Notify.SUCCESS in self.notify

    def without_success(self) -> RecipientOptions:
        """The same for addresses to which an alias with several of them leads (RFC 3461 §5.2.7.3)."""
        return replace(self, notify=self.notify & ~Notify.SUCCESS) if self.notify is not None else self

    def united(self, other: RecipientOptions) -> RecipientOptions:
        """What two recipients want that lead to the same place: each of their wishes, and the first one's address."""
        if self.notify == other.notify:
            return self
        either = [Notify.FAILURE | Notify.DELAY if one.notify is None else one.notify for one in (self, other)]
        return replace(self, notify=either[0] | either[1])


NO_MAIL_OPTIONS = MailOptions()
NO_RECIPIENT_OPTIONS = RecipientOptions()
