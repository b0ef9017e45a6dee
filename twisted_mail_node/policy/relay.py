"""
The rule of the house: mail for our own domains from anyone, mail for elsewhere from those who have logged in.

That an authenticated client writes a sender of its own is asked of ILogin by the session, which holds it.

Sources: RFC 5321 §3.5, §3.6.2, §7.3, §7.9; RFC 6409 §4, §6 (submission); RFC 2033 (LMTP delivers here and relays
nowhere).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from twisted.internet.defer import Deferred, succeed
from zope.interface import implementer

from ..interfaces.deferred import returns_deferred
from ..interfaces.policy import ISMTPPolicy
from ..mail.address import Address
from ..mail.envelope import Client, Recipient, Service
from ..mail.verdict import Accept, Verdict
from .recipients import Recipients
from .verdicts import (
    ACCEPT,
    NO_LIST,
    NO_SUCH_USER,
    NOT_AN_ADDRESS,
    OWN_SENDER_NEEDS_LOGIN,
    RELAY_DENIED,
    accepted,
)

Audience = Literal["nobody", "accounts", "everyone"]
"""Whom something is told: `accounts` are those who have logged in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RelaySettings:
    """
    `accept_own_senders`: mail whose sender is of our domains is taken without AUTH (LMTP always does).

    `verify` and `expand` say whom VRFY tells who exists, and EXPN where addresses lead (RFC 5321 §7.3).
    """

    accept_own_senders: bool = True
    verify: Audience = "nobody"
    expand: Audience = "nobody"


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
        """See ISMTPPolicy."""
        return self._look_up(text) if _is_among(client, self._settings.verify) else accepted()

    @returns_deferred
    async def expand(self, client: Client, text: str) -> Verdict:
        """See ISMTPPolicy. What leads to itself alone is nothing to be expanded."""
        if not _is_among(client, self._settings.expand):
            return ACCEPT
        verdict = await self._look_up(text)
        if not isinstance(verdict, Accept) or verdict.recipient is None:
            return verdict
        recipient = verdict.recipient
        leads = {target.account for target in recipient.targets} | {forward.key for forward in recipient.forwards}
        return NO_LIST if leads == {recipient.address.key} else verdict

    def _look_up(self, text: str) -> Deferred[Verdict]:
        """Where an address leads that may be in brackets, and may lack its domain."""
        try:
            address = self._recipients.complete(text.strip("<> "))
        except ValueError:
            return succeed(NOT_AN_ADDRESS)
        return self._recipients.resolve(address) if self._recipients.is_own(address) else succeed(NO_SUCH_USER)


def _is_among(client: Client, audience: Audience) -> bool:
    return audience == "everyone" or (audience == "accounts" and client.account is not None)
