"""
What a message does: placements for local mailboxes, queue entries for other nodes, and which recipient each is for.

Pure. Who is local was decided by `policy`; what cannot be placed after all is told by the store and taken out here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from ..mail.address import Address
from ..mail.columns import InternalDate
from ..mail.envelope import Envelope, Recipient
from ..mail.status import EnhancedStatus
from ..mail.transaction import Body, Outgoing, Placement, Transaction
from .header import NO_PAST, Past
from .trace import recipient_prefix

LOOP = (EnhancedStatus(5, 4, 6), "mail is going round in circles")


@dataclass(frozen=True, slots=True)
class Failure:
    """A recipient that an accepted message does not reach: who, and why."""

    recipient: Address
    status: EnhancedStatus
    text: str


class MakeBounce(Protocol):
    """Makes the report that tells a sender of failed recipients. Source: RFC 3464."""

    def __call__(
        self, transaction_id: str, now: float, sender: Address, failures: Sequence[Failure], header: bytes
    ) -> Body:
        """
        The report's body. `header` is the header block of the message that failed.

        `transaction_id` is that of the message; `now` is in seconds since the epoch.
        """


@dataclass(frozen=True, slots=True)
class Plan:
    """
    A transaction, and whom its placements are for.

    `owners[i]` are positions in `envelope.recipients` of those whose message placement i is. `failures` are
    recipients' positions that got nothing (or not all), with the reason.
    """

    envelope: Envelope
    transaction: Transaction
    owners: tuple[tuple[int, ...], ...]
    failures: dict[int, tuple[EnhancedStatus, str]]

    @property
    def is_empty(self) -> bool:
        """Nothing is left to be done for anybody."""
        return not self.transaction.placements and not self.transaction.queue

    def without(self, refusals: dict[int, tuple[EnhancedStatus, str]]) -> Plan:
        """The plan without these placements, whose owners are failures from now on."""
        kept = [position for position in range(len(self.owners)) if position not in refusals]
        failures = dict(self.failures)
        for position, reason in refusals.items():
            for owner in self.owners[position]:
                failures.setdefault(owner, reason)
        placements = self.transaction.placements
        return Plan(
            self.envelope,
            replace(self.transaction, placements=tuple(placements[position] for position in kept)),
            tuple(self.owners[position] for position in kept),
            failures,
        )

    def with_bounce(self, make_bounce: MakeBounce, header: bytes, recipient: Recipient) -> Plan:
        """
        The plan with a report to the sender about its failures. There has to be a sender, and a failure.

        `recipient` says where the sender's address leads; `header` is the header block to be given back.
        """
        sender, transaction = self.envelope.sender, self.transaction
        assert sender is not None
        failures = [
            Failure(self.envelope.recipients[position].address, status, text)
            for position, (status, text) in sorted(self.failures.items())
        ]
        body, date = len(transaction.bodies), InternalDate(int(transaction.now))
        report = make_bounce(transaction.id, transaction.now, sender, failures, header)
        placements = tuple(
            Placement(
                target.account,
                target.mailbox,
                body,
                date,
                prefix=recipient_prefix(None, sender, target.account),
                recipient=sender,
            )
            for target in recipient.targets
        )
        outgoing = tuple(Outgoing(body, None, forward) for forward in recipient.forwards)
        return replace(
            self,
            transaction=replace(
                transaction,
                bodies=(*transaction.bodies, report),
                placements=(*transaction.placements, *placements),
                queue=(*transaction.queue, *outgoing),
            ),
        )


def plan(envelope: Envelope, body: Body, transaction_id: str, now: float, past: Past = NO_PAST) -> Plan:
    """
    What the message does for its envelope: one copy for an account, one queue entry for an address elsewhere,
    however many recipients lead there.

    For whom the message has been here before, by its `past`, it is in a loop (RFC 5321 §6.3 leaves the means to us):
    hops are counted too, but a loop of a few nodes makes dozens of copies until there are enough.
    """
    date, sender = InternalDate(int(now)), envelope.sender
    received_for, delivered_to = past.received_for, past.delivered_to
    owners: dict[str, list[int]] = {}
    placements: list[Placement] = []
    queue: dict[str, Outgoing] = {}
    failures: dict[int, tuple[EnhancedStatus, str]] = {}
    for position, recipient in enumerate(envelope.recipients):
        if received_for and recipient.address.key in received_for:
            failures[position] = LOOP
            continue
        for target in recipient.targets:
            account = target.account
            if account in owners:
                owners[account].append(position)
            elif delivered_to and account in delivered_to:
                failures[position] = LOOP
            else:
                owners[account] = [position]
                prefix = recipient_prefix(sender, recipient.address, account)
                to = recipient.address
                placements.append(
                    Placement(
                        account,
                        target.mailbox,
                        0,
                        date,
                        prefix=prefix,
                        sender=sender,
                        recipient=to,
                        options=envelope.options,
                        recipient_options=recipient.options,
                    )
                )
        for forward in recipient.forwards:
            if forward.key not in queue:
                original = recipient.address if forward.key != recipient.address.key else None
                queue[forward.key] = Outgoing(
                    0,
                    sender,
                    forward,
                    original,
                    envelope.body_type,
                    options=envelope.options,
                    recipient_options=recipient.options,
                )
    transaction = Transaction(transaction_id, now, (body,), tuple(placements), tuple(queue.values()))
    return Plan(envelope, transaction, tuple(map(tuple, owners.values())), failures)
