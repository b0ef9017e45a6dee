"""What takes mail in: policy, intake, and where an address leads, joined over one doors."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from twisted.internet.defer import Deferred

from ..intake import Intake, IntakeSettings, MakeReport, TransactionIds
from ..interfaces.deferred import returns_deferred
from ..interfaces.intake import IIntake
from ..interfaces.policy import ISMTPPolicy
from ..mail.address import Address
from ..mail.envelope import Recipient
from ..mail.errors import PermanentFailure, TemporaryFailure
from ..mail.report import Reported, Told
from ..mail.status import EnhancedStatus
from ..mail.transaction import Body
from ..mail.verdict import Accept, Reject
from ..policy import PolicyChain, Recipients, RecipientSettings, RelayPolicy, RelaySettings
from ..queue.reports import Reporter, report
from .config import Config
from .doors import Doors
from .storage import Reactor

Lead = Callable[[Address], Deferred[Recipient]]


@dataclass(frozen=True, slots=True)
class Incoming:
    """`policy` and `intake` are for SMTP sessions; `ids` names transactions; `lead` tells where reports go."""

    policy: ISMTPPolicy
    intake: IIntake
    ids: TransactionIds
    lead: Lead


def make_incoming(config: Config, doors: Doors, reactor: Reactor, more_policies: Sequence[ISMTPPolicy]) -> Incoming:
    """The rooms that take mail in. `more_policies` are asked before our own."""
    ids = TransactionIds(reactor, os.urandom)
    postmaster = f"postmaster@{config.domains[0]}"
    recipients = Recipients(doors.directory, RecipientSettings(domains=config.domains, postmaster=postmaster))
    relay = RelayPolicy(recipients, RelaySettings(accept_own_senders=config.smtp.accept_own_senders))
    settings = IntakeSettings(
        hostname=config.hostname, max_size=config.limits.max_message_size, max_hops=config.smtp.max_hops
    )

    lead = make_lead(recipients)
    intake = Intake(
        doors.entrance,
        reactor,
        ids,
        make_report(config.hostname, config.domains[0], ids),
        settings,
        resolve=lead,
        places_at_once=doors.spool is None,
    )
    policy: ISMTPPolicy = PolicyChain([*more_policies, relay]) if more_policies else relay
    return Incoming(policy, intake, ids, lead)


def make_report(hostname: str, domain: str, ids: TransactionIds) -> MakeReport:
    """Intake's MakeReport: the queue's report, for recipients that never came into the queue."""
    reporter = Reporter(hostname, Address("postmaster", domain))

    def make(reported: Reported, told: Sequence[Told], now: float) -> Body:
        return report(reporter, ids.next(), reported, told, now)

    return make


def make_lead(recipients: Recipients) -> Lead:
    """
    Where a report to an address goes: where it leads if it is ours, else out to itself.

    What is made fails with: PermanentFailure: nobody is there; TemporaryFailure.
    """

    @returns_deferred
    async def lead(address: Address) -> Recipient:
        if not recipients.is_own(address):
            return Recipient(address, (), (address,))
        verdict = await recipients.resolve(address)
        if isinstance(verdict, Accept) and verdict.recipient is not None:
            return verdict.recipient
        if isinstance(verdict, Reject):
            raise PermanentFailure(verdict.text, verdict.status)
        raise TemporaryFailure("the address can't be looked up now", EnhancedStatus(4, 3, 0))

    return lead
