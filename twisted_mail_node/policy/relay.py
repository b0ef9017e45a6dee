"""
The rule of the house: mail for our own domains from anyone, mail for elsewhere from those who have logged in.

That an authenticated client writes a sender of its own is asked of ILogin by the session, which holds it.

Sources: RFC 5321 §3.6.2, §7.9; RFC 6409 §4, §6 (submission); RFC 2033 (LMTP delivers here and relays nowhere).
"""

from __future__ import annotations

from dataclasses import dataclass

from twisted.internet.defer import Deferred, succeed
from zope.interface import implementer

from ..interfaces.policy import ISMTPPolicy
from ..mail.address import Address
from ..mail.envelope import Client, Recipient, Service
from ..mail.verdict import Accept, Verdict
from .recipients import Recipients
from .verdicts import OWN_SENDER_NEEDS_LOGIN, RELAY_DENIED, accepted


@dataclass(frozen=True, slots=True, kw_only=True)
class RelaySettings:
    """`accept_own_senders`: mail whose sender is of our domains is taken without AUTH (LMTP always does)."""

    accept_own_senders: bool = True


@implementer(ISMTPPolicy)
class RelayPolicy:
    """Never an open relay."""

    def __init__(self, recipients: Recipients, settings: RelaySettings | None = None) -> None:
        self._recipients = recipients
        self._settings = settings or RelaySettings()

    def connected(self, client: Client) -> Deferred[Verdict]:
        """See ISMTPPolicy. Always yes."""
        return accepted()

    def hello(self, client: Client) -> Deferred[Verdict]:
        """See ISMTPPolicy. Always yes."""
        return accepted()

    def sender(
        self, client: Client, sender: Address | None, parameters: tuple[tuple[str, str], ...]
    ) -> Deferred[Verdict]:
        """See ISMTPPolicy. No only to a sender of our own who has not logged in, where the setting says so."""
        if (
            sender is not None
            and client.account is None
            and client.service is not Service.LMTP
            and not self._settings.accept_own_senders
            and self._recipients.is_own(sender)
        ):
            return succeed(OWN_SENDER_NEEDS_LOGIN)
        return accepted()

    def recipient(self, client: Client, sender: Address | None, recipient: Address) -> Deferred[Verdict]:
        """See ISMTPPolicy. Addresses of ours lead where the directory says; others need a login."""
        if self._recipients.is_own(recipient):
            return self._recipients.resolve(recipient)
        if client.account is None or client.service is Service.LMTP:
            return succeed(RELAY_DENIED)
        return succeed(Accept(Recipient(recipient, (), (recipient,))))

    def verify(self, client: Client, text: str) -> Deferred[Verdict]:
        """See ISMTPPolicy. Nobody is told who exists (RFC 5321 §7.3)."""
        return accepted()
