"""
What a client may show to prove who it is, beside twisted.cred's IUsernamePassword: one interface for each way.

A checker of twisted.cred that has one of these among its `credentialInterfaces` and is registered with the portal is
asked for logins of that way, and only then the mechanisms are offered that lead to it. Its avatar id is the account's
name; it fails with UnauthorizedLogin, or TemporaryFailure where nothing could be decided. `protocols` makes the
credentials; whoever writes a checker reads them.
"""

from __future__ import annotations

from twisted.cred.credentials import ICredentials
from twisted.internet.defer import Deferred
from zope.interface import Attribute, Interface

from ..mail.scram import ScramHash, ScramVerifier


class IScramProof(ICredentials):
    """
    A SCRAM exchange that is complete: the client has proved something, if the verifier says so.

    Its checker has to provide IScramVerifiers too: the exchange cannot begin without a verifier's salt.
    """

    username = Attribute("The account's name, str.")
    hash = Attribute("The ScramHash of the mechanism.")

    def is_proven_by(verifier: ScramVerifier | None) -> bool:
        """Whether the client has the password that the verifier was made of; never for None."""


class IScramVerifiers(Interface):
    """What keeps SCRAM verifiers."""

    hashes = Attribute("frozenset of the ScramHashes of which it keeps verifiers.")
    iterations = Attribute("The count of a new verifier, int: what a name that has none is answered with.")

    def verifier(name: str, hash: ScramHash) -> Deferred[ScramVerifier | None]:
        """
        The account's verifier; None where there is no such account or it has none.

        Fails with: TemporaryFailure. Takes as long for a name that does not exist as for any other.
        """


class IBearerToken(ICredentials):
    """
    An OAuth 2.0 token. Source: RFC 7628, RFC 6750.

    Its checker has to refuse a token that is good and somebody else's than `username`.
    """

    username = Attribute('The account that is asked for, str; "" where the client leaves it to the token.')
    token = Attribute("The token, str, as it came. Not for logs.")


class IBearerHint(Interface):
    """What a checker of IBearerToken may provide: what a client is told whose token was refused (RFC 7628 §3.2.2)."""

    scope = Attribute('The scopes that a token needs, with blanks between, str; "" says nothing.')
    configuration_url = Attribute('Where the issuer describes itself (OpenID Connect Discovery), str; "" for nowhere.')


class ITokens(Interface):
    """Who says whose a token is."""

    def account_of(token: str) -> Deferred[str]:
        """
        The account's name, in lower case.

        Fails with: UnauthorizedLogin, for a token that is forged, out of time, for another service or of nobody here;
        TemporaryFailure, where nobody could tell. Cancelling gives the question up.
        """


class IVerifiedCertificate(ICredentials):
    """
    A client certificate that TLS has verified, and that the client has the key of. Source: RFC 4422 appendix A.

    Its checker decides which account it stands for, and refuses it where that is not `username`.
    """

    username = Attribute('The account that is asked for, str; "" where the client leaves it to the certificate.')
    certificate = Attribute("The ClientCertificate.")
