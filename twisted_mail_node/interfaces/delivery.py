"""Routing: which hosts an outgoing message is offered to. Neighbours: `dns` finds MX hosts, `delivery` uses them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from twisted.internet.defer import Deferred
from zope.interface import Interface

from ..mail.mail_host import MailHost


@dataclass(frozen=True, slots=True)
class Route:
    """
    Where to offer a message, and with how much security.

    `tls` is one of none, may, encrypt, verify. `username` and `password` are for AUTH at a smarthost, or empty.
    """

    hosts: Sequence[MailHost]
    tls: str = "may"
    username: str = ""
    password: str = ""


class IRoutes(Interface):
    """Finds the way for a recipient domain."""

    def destination(domain: str) -> str:
        """The key under which connections may be shared: the domain, or the smarthost."""

    def route(domain: str) -> Deferred[Route]:
        """The hosts to try. Fails as IMXResolver.mail_hosts does, and with 5.4.6 where the best host is this node."""
