"""
How much one account may send: messages and recipients in a span of time.

A stolen password is good for so much spam and no more before somebody looks. Sources: RFC 6409 §5 leaves it to the
site; that a refusal is temporary lets a mailer keep the message and try again.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IReactorTime
from zope.interface import implementer

from ..interfaces.policy import ISMTPPolicy
from ..mail.address import Address
from ..mail.envelope import Client
from ..mail.status import EnhancedStatus
from ..mail.verdict import Defer, Verdict
from .spans import SpanLimit
from .verdicts import accepted

# RFC 3463 X.7.1: not authorized, by the sender's own site.
_TOO_MANY_MESSAGES = Defer(EnhancedStatus(4, 7, 1), "you have sent as many messages as you may for now", 450)
_TOO_MANY_RECIPIENTS = Defer(EnhancedStatus(4, 7, 1), "you have written to as many recipients as you may for now", 450)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountLimitSettings:
    """
    `messages` and `recipients` of one account in `span_seconds`; 0 for no limit. `exempt` accounts have none.
    `max_accounts` bounds the memory: the account seen longest ago is forgotten first.
    """

    messages: int = 0
    recipients: int = 0
    span_seconds: float = 86400.0
    exempt: Collection[str] = ()
    max_accounts: int = 10_000


@implementer(ISMTPPolicy)
class AccountLimits:
    """Counts what those ask for who have logged in; what is refused by others afterwards counts as well."""

    def __init__(self, clock: IReactorTime, settings: AccountLimitSettings) -> None:
        self._exempt = frozenset(settings.exempt)
        self._messages = SpanLimit(clock, settings.messages, settings.span_seconds, settings.max_accounts)
        self._recipients = SpanLimit(clock, settings.recipients, settings.span_seconds, settings.max_accounts)

    def connected(self, client: Client) -> Deferred[Verdict]:
        """See ISMTPPolicy. Always yes."""
        return accepted()

    def hello(self, client: Client) -> Deferred[Verdict]:
        """See ISMTPPolicy. Always yes."""
        return accepted()

    def sender(
        self, client: Client, sender: Address | None, parameters: tuple[tuple[str, str], ...]
    ) -> Deferred[Verdict]:
        """See ISMTPPolicy."""
        return accepted() if self._may(client, self._messages) else succeed(_TOO_MANY_MESSAGES)

    def recipient(self, client: Client, sender: Address | None, recipient: Address) -> Deferred[Verdict]:
        """See ISMTPPolicy. A yes without a recipient: another policy of the chain gives it."""
        return accepted() if self._may(client, self._recipients) else succeed(_TOO_MANY_RECIPIENTS)

    def verify(self, client: Client, text: str) -> Deferred[Verdict]:
        """See ISMTPPolicy. Always yes."""
        return accepted()

    def expand(self, client: Client, text: str) -> Deferred[Verdict]:
        """See ISMTPPolicy. Always yes."""
        return accepted()

    def _may(self, client: Client, limit: SpanLimit) -> bool:
        account = client.account
        return account is None or account in self._exempt or limit.take(account)
