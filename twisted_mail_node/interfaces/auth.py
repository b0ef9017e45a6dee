"""
Who may come in: the avatar that a twisted.cred portal gives for a proven identity.

`ILogin` is what protocols ask portals for. Checkers are twisted.cred's own ICredentialsChecker, so that an
embedder's can take the place of ours.
"""

from __future__ import annotations

from twisted.internet.defer import Deferred
from zope.interface import Attribute, Interface

from ..mail.address import Address
from .store import IAccount


class ILogin(Interface):
    """What a successful login gives to a session."""

    name = Attribute("The account's name, an address in lower case.")

    def account() -> Deferred[IAccount]:
        """The account's door in the mailbox store. Fails with: NoSuchAccount."""

    def may_send_as(sender: Address | None) -> Deferred[bool]:
        """Whether this account may write `sender` into MAIL FROM; always for the null reverse-path."""


class IAttempts(Interface):
    """Slows repeated failures of one address (and one account, whose name is "" where nobody knows it) down."""

    def delay_before(host: str, name: str) -> float:
        """Seconds to wait before the next answer to this address; 0.0 when it has done nothing wrong."""

    def failed(host: str, name: str) -> None:
        """A login failed."""

    def succeeded(host: str, name: str) -> None:
        """A login succeeded; from now on this address waits for its own failures there only."""
