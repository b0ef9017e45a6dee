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
from ..mail.envelope import Recipient, Service
from ..mail.errors import PermanentFailure, TemporaryFailure
from ..mail.report import Reported, Told
from ..mail.status import EnhancedStatus
from ..mail.transaction import Body
from ..mail.verdict import Accept, Reject
from ..policy import (
    AccountLimits,
    AccountLimitSettings,
    PolicyChain,
    RateLimits,
    RateLimitSettings,
    Recipients,
    RecipientSettings,
    RelayPolicy,
    RelaySettings,
)
from ..queue.reports import Reporter, report
from .config import Config, ListenSettings
from .doors import Doors
from .storage import Reactor

Lead = Callable[[Address], Deferred[Recipient]]


@dataclass(frozen=True, slots=True)
class Incoming:
    """
    `policy_for` gives the policy of a listener's sessions, `intake` takes their messages; `ids` names transactions;
    `lead` tells where reports go.
    """

    policy_for: Callable[[ListenSettings], ISMTPPolicy]
    intake: IIntake
    ids: TransactionIds
    lead: Lead


def make_incoming(config: Config, doors: Doors, reactor: Reactor, more_policies: Sequence[ISMTPPolicy]) -> Incoming:
    """The rooms that take mail in. `more_policies` are asked before our own."""
    ids = TransactionIds(reactor, os.urandom)
    postmaster = f"postmaster@{config.domains[0]}"
    recipients = Recipients(doors.directory, RecipientSettings(domains=config.domains, postmaster=postmaster))
    smtp = config.smtp
    rules = RelaySettings(accept_own_senders=smtp.accept_own_senders, verify=smtp.verify, expand=smtp.expand)
    relay = RelayPolicy(recipients, rules)
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
    return Incoming(_policies(config, reactor, more_policies, relay), intake, ids, lead)


def _policies(
    config: Config, reactor: Reactor, more_policies: Sequence[ISMTPPolicy], relay: RelayPolicy
) -> Callable[[ListenSettings], ISMTPPolicy]:
    """What an address or an account may send is counted over all listeners; the rules of the house come last."""
    of_addresses, of_accounts = _address_limits(config, reactor), _account_limits(config, reactor)

    def policy_for(listen: ListenSettings) -> ISMTPPolicy:
        limits: list[ISMTPPolicy] = []
        if Service(listen.service) is Service.SMTP:
            limits += of_addresses
        if listen.auth != "off":
            limits += of_accounts
        policies = [*more_policies, *limits, relay]
        return PolicyChain(policies) if len(policies) > 1 else relay

    return policy_for


def _address_limits(config: Config, reactor: Reactor) -> list[ISMTPPolicy]:
    limits = config.limits
    if not limits.connection_rate and not limits.message_rate:
        return []
    settings = RateLimitSettings(
        connections=limits.connection_rate,
        messages=limits.message_rate,
        span_seconds=limits.rate_span,
        trusted=limits.trusted_networks,
    )
    return [RateLimits(reactor, settings)]


def _account_limits(config: Config, reactor: Reactor) -> list[ISMTPPolicy]:
    submission = config.submission
    if not submission.messages_per_account and not submission.recipients_per_account:
        return []
    settings = AccountLimitSettings(
        messages=submission.messages_per_account,
        recipients=submission.recipients_per_account,
        span_seconds=submission.span,
        exempt=submission.unlimited_accounts,
    )
    return [AccountLimits(reactor, settings)]


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
