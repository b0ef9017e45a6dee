"""
Which SASL mechanisms are offered to whom: those that somebody can check, on a line on which they are safe.

Decides by three things: the setting (which, and in which order), the portal (whose checkers take what a mechanism
shows) and the line. Neighbours: `login` keeps the first two; `tls_line` knows the third.
"""

from __future__ import annotations

from typing import Any

from twisted.cred.checkers import ICredentialsChecker
from twisted.cred.credentials import IUsernamePassword
from twisted.cred.portal import Portal
from zope.interface import Interface

from ..interfaces.credentials import IBearerHint, IBearerToken, IScramProof, IScramVerifiers, IVerifiedCertificate
from ..mail.envelope import Peer
from ..wire.sasl.mechanisms import Mechanism, Shows
from .tls_line import can_bind, certificate_of

CREDENTIALS: dict[Shows, type[Interface]] = {
    Shows.PASSWORD: IUsernamePassword,
    Shows.PROOF: IScramProof,
    Shows.TOKEN: IBearerToken,
    Shows.CERTIFICATE: IVerifiedCertificate,
}


def checker_of(portal: Portal, shows: Shows) -> ICredentialsChecker | None:
    """Who checks what is shown so, if anybody does."""
    return portal.checkers.get(CREDENTIALS[shows])


def verifiers_of(portal: Portal) -> IScramVerifiers | None:
    """Who keeps SCRAM verifiers, if anybody does."""
    return IScramVerifiers(checker_of(portal, Shows.PROOF), None)


def hint_of(portal: Portal) -> tuple[str, str]:
    """Scope and address that a client is told whose token was refused, each empty where nobody says."""
    hint = IBearerHint(checker_of(portal, Shows.TOKEN), None)
    return (hint.scope, hint.configuration_url) if hint is not None else ("", "")


def can_check(portal: Portal, mechanism: Mechanism) -> bool:
    """Whether the portal can tell who has come by this mechanism."""
    if mechanism.hash is not None:
        verifiers = verifiers_of(portal)
        return verifiers is not None and mechanism.hash in verifiers.hashes
    return checker_of(portal, mechanism.shows) is not None


def is_safe(
    mechanism: Mechanism,
    peer: Peer,
    transport: Any,  # Any: see tls_line.tls_handle.
    *,
    clear_allowed: bool,
    is_local: bool,
) -> bool:
    """
    Whether the mechanism may be used on this line.

    `clear_allowed` says that passwords may cross it, `is_local` that it does not leave the machine. A proof of SCRAM
    goes where a password may: who listens can try passwords against it (RFC 7677 §4 wants TLS). A token is as good as
    money, so no setting sends it through the open (RFC 6750 §5.3).
    """
    match mechanism.shows:
        case Shows.CERTIFICATE:
            return certificate_of(transport) is not None
        case Shows.TOKEN:
            return peer.tls or (clear_allowed and is_local)
        case Shows.PROOF if mechanism.binds:
            return peer.tls and can_bind(transport)
        case Shows.PROOF | Shows.PASSWORD:
            return clear_allowed
