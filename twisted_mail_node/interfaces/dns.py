"""
The resolver's door. Source: RFC 5321 §5.1, RFC 7505 (null MX).

Failures are told apart: a domain that does not exist or takes no mail is permanent, a server that does not
answer is temporary.
"""

from __future__ import annotations

from collections.abc import Sequence

from twisted.internet.defer import Deferred
from zope.interface import Interface

from ..mail.mail_host import MailHost


class IMXResolver(Interface):
    """Finds where mail for a domain is taken."""

    def mail_hosts(domain: str) -> Deferred[Sequence[MailHost]]:
        """
        The hosts in the order in which to try them: by preference, equal ones shuffled, each with addresses.

        `domain` is a host name (Unicode or A-labels) or an address literal in brackets. Without MX records the
        domain itself is the host (implicit MX). Fails with: PermanentFailure 5.1.2 (no such domain), 5.1.10
        (null MX), 5.4.4 (no host has an address); TemporaryFailure 4.4.3 (no answer, server failure). The
        list is never empty. Cancelling gives the lookup up for this caller only.
        """

    def addresses(host: str) -> Deferred[Sequence[str]]:
        """IPv6 and IPv4 addresses of a host, as text. Fails as mail_hosts."""
