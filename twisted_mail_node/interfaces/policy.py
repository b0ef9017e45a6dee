"""
What may come in. A policy is asked stage by stage; each answer is a value. Any stage may answer late.

Source of the stages: RFC 5321 §3. Neighbours: `policy` implements, SMTP and LMTP sessions ask.
"""

from __future__ import annotations

from twisted.internet.defer import Deferred
from zope.interface import Interface

from ..mail.address import Address
from ..mail.envelope import Client
from ..mail.verdict import Verdict


class ISMTPPolicy(Interface):
    """Asked by SMTP, submission and LMTP sessions. A Deferred that fails counts as Defer, and is logged."""

    def connected(client: Client) -> Deferred[Verdict]:
        """A connection is there; a refusal is the greeting (554 or 421)."""

    def hello(client: Client) -> Deferred[Verdict]:
        """HELO, EHLO or LHLO came; its name is in `client.hello`."""

    def sender(client: Client, sender: Address | None, parameters: tuple[tuple[str, str], ...]) -> Deferred[Verdict]:
        """MAIL FROM came; None is the null reverse-path."""

    def recipient(client: Client, sender: Address | None, recipient: Address) -> Deferred[Verdict]:
        """RCPT TO came. Accept carries the Recipient with where it leads."""

    def verify(client: Client, text: str) -> Deferred[Verdict]:
        """VRFY asks (RFC 5321 §3.5.1). Accept with a Recipient tells its address, without one tells nothing."""

    def expand(client: Client, text: str) -> Deferred[Verdict]:
        """EXPN asks (RFC 5321 §3.5.2). Accept with a Recipient tells where it leads, without one tells nothing."""
