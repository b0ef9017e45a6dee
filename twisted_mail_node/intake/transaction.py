"""
What a message does: placements for local mailboxes, queue entries for other nodes, which recipient each is for, and
what the sender is told of it at once.

Pure. Who is local was decided by `policy`; what cannot be placed after all is told by the store and taken out here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from ..mail.address import Address
from ..mail.columns import InternalDate
from ..mail.envelope import Envelope, Recipient, Service, Target
from ..mail.options import NO_RECIPIENT_OPTIONS, Notify, RecipientOptions
from ..mail.report import TOLD_TOGETHER, Action, Reported, Told
from ..mail.status import EnhancedStatus
from ..mail.transaction import Body, Outgoing, Placement, Transaction, outgoing_report
from .header import NO_PAST, Past
from .trace import recipient_prefix

LOOP = (EnhancedStatus(5, 4, 6), "mail is going round in circles")


class MakeReport(Protocol):
    """Makes the report that tells a sender of recipients. Source: RFC 3464."""

    def __call__(self, reported: Reported, told: Sequence[Told], now: float) -> Body:
        """The report's body. `now` is in seconds since the epoch; at most TOLD_TOGETHER are told at a time."""


@dataclass(frozen=True, slots=True)
class Plan:
    """
    A transaction, and whom its placements are for.

    `owners[i]` are positions in `envelope.recipients` of those whose message placement i is. `failures` are
    recipients' positions that got nothing (or not all), with the reason. `places_at_once` says that a placement that is
    committed is in its mailbox, so that success can be told with it; `wants_success` that somebody wants to hear of it.
    """

    envelope: Envelope
    transaction: Transaction
    owners: tuple[tuple[int, ...], ...]
    failures: dict[int, tuple[EnhancedStatus, str]]
    places_at_once: bool = True
    wants_success: bool = False

    @property
    def is_empty(self) -> bool:
        """Nothing is left to be done for anybody."""
        return not self.transaction.placements and not self.transaction.queue

    @property
    def told(self) -> list[Told]:
        """
        What the sender is to be told of now, with the commit: failures of SMTP, and what has come to its end here.

        In LMTP each failure has a reply of its own. Nobody tells the null sender. Source: RFC 3461 §5.2.3, §5.2.6,
        §5.2.7.3 (c).
        """
        if self.envelope.sender is None or not (self.failures or self.wants_success):
            return []
        is_lmtp = self.envelope.client.service is Service.LMTP
        told = []
        for position, recipient in enumerate(self.envelope.recipients):
            failure = self.failures.get(position)
            if failure is None:
                action = self._success(recipient)
                if action is not None:
                    told.append(Told(recipient.address, action, options=recipient.options))
            elif recipient.options.wants_failure and not is_lmtp:
                status, text = failure
                told.append(Told(recipient.address, Action.FAILED, status, text, options=recipient.options))
        return told

    def without(self, refusals: Mapping[int, tuple[EnhancedStatus, str]]) -> Plan:
        """The plan without these placements, whose owners are failures from now on."""
        kept = [position for position in range(len(self.owners)) if position not in refusals]
        failures = dict(self.failures)
        for position, reason in refusals.items():
            if position < len(self.owners):  # those behind are of a report
                for owner in self.owners[position]:
                    failures.setdefault(owner, reason)
        placements = self.transaction.placements
        return replace(
            self,
            transaction=replace(self.transaction, placements=tuple(placements[position] for position in kept)),
            owners=tuple(self.owners[position] for position in kept),
            failures=failures,
        )

    def with_reports(self, make_report: MakeReport, reported: Reported, recipient: Recipient) -> Transaction:
        """
        The transaction with reports to the sender of what is `told`.

        `recipient` says where the sender's address leads.
        """
        transaction, told = self.transaction, self.told
        now, sender = transaction.now, reported.sender
        bodies, placements, queue = list(transaction.bodies), list(transaction.placements), list(transaction.queue)
        for start in range(0, len(told), TOLD_TOGETHER):
            body, position = make_report(reported, told[start : start + TOLD_TOGETHER], now), len(bodies)
            bodies.append(body)
            placements += [
                Placement(
                    target.account,
                    target.mailbox,
                    position,
                    InternalDate(int(now)),
                    prefix=recipient_prefix(None, sender, target.account),
                    recipient=sender,
                )
                for target in recipient.targets
            ]
            queue += [outgoing_report(position, body, forward) for forward in recipient.forwards]
        return replace(transaction, bodies=tuple(bodies), placements=tuple(placements), queue=tuple(queue))

    def _success(self, recipient: Recipient) -> Action | None:
        if not recipient.options.wants_success:
            return None
        if _is_several(recipient):
            return Action.EXPANDED
        return Action.DELIVERED if recipient.targets and self.places_at_once else None


def _is_several(recipient: Recipient) -> bool:
    """Whether the address leads to several others: their success is not that of the address (RFC 3461 §5.2.7.3)."""
    return len(recipient.targets) + len(recipient.forwards) > 1


def plan(
    envelope: Envelope,
    body: Body,
    transaction_id: str,
    now: float,
    past: Past = NO_PAST,
    *,
    places_at_once: bool = True,
) -> Plan:
    """
    What the message does for its envelope: one copy for an account, one queue entry for an address elsewhere,
    however many recipients lead there; but for those with wishes of their own, which go on as they came.

    For whom the message has been here before, by its `past`, it is in a loop (RFC 5321 §6.3 leaves the means to us):
    hops are counted too, but a loop of a few nodes makes dozens of copies until there are enough.
    """
    date = InternalDate(int(now))
    received_for, delivered_to = past.received_for, past.delivered_to
    owners: dict[str, list[int]] = {}
    placements: dict[str, Placement] = {}
    queue: dict[tuple[str, str, RecipientOptions], Outgoing] = {}
    failures: dict[int, tuple[EnhancedStatus, str]] = {}
    wants_success = False
    for position, recipient in enumerate(envelope.recipients):
        if received_for and recipient.address.key in received_for:
            failures[position] = LOOP
            continue
        options = recipient.options
        if options is not NO_RECIPIENT_OPTIONS and options.wants_success:
            wants_success = True
            if _is_several(recipient):
                options = options.without_success()
        for target in recipient.targets:
            account = target.account
            if account in owners:
                owners[account].append(position)
                placements[account] = _shared(placements[account], recipient.address, options)
            elif delivered_to and account in delivered_to:
                failures[position] = LOOP
            else:
                owners[account] = [position]
                placements[account] = _placement(envelope, recipient.address, target, options, date)
        for forward in recipient.forwards:
            # RFC 3461 §5.2.1 (c, d): what is asked for one recipient is not asked for another.
            written = recipient.address.key if options != NO_RECIPIENT_OPTIONS else ""
            entry = (forward.key, written, options)
            if entry not in queue:
                queue[entry] = _outgoing(envelope, recipient.address, forward, options)
    transaction = Transaction(transaction_id, now, (body,), tuple(placements.values()), tuple(queue.values()))
    return Plan(envelope, transaction, tuple(map(tuple, owners.values())), failures, places_at_once, wants_success)


def _placement(
    envelope: Envelope, written: Address, target: Target, options: RecipientOptions, date: InternalDate
) -> Placement:
    return Placement(
        target.account,
        target.mailbox,
        0,
        date,
        prefix=recipient_prefix(envelope.sender, written, target.account),
        sender=envelope.sender,
        recipient=written,
        options=envelope.options,
        recipient_options=options,
    )


def _outgoing(envelope: Envelope, written: Address, forward: Address, options: RecipientOptions) -> Outgoing:
    return Outgoing(
        0,
        envelope.sender,
        forward,
        written if forward.key != written.key else None,
        envelope.body_type,
        options=envelope.options,
        recipient_options=options,
    )


def _shared(place: Placement, recipient: Address, options: RecipientOptions) -> Placement:
    """The place where another recipient leads as well. Who wants to hear nothing of one is told of the other."""
    if place.recipient_options.notify is Notify.NEVER:
        return replace(place, recipient=recipient, recipient_options=options)
    united = place.recipient_options.united(options)
    return place if united is place.recipient_options else replace(place, recipient_options=united)
