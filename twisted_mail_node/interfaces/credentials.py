"""
What a client may show to prove who it is, beside twisted.cred's IUsernamePassword: one interface for each way; and
the doors of what is kept to check it by.

A checker of twisted.cred that has one of these among its `credentialInterfaces` and is registered with the portal is
asked for logins of that way, and only then the mechanisms are offered that lead to it. Its avatar id is the account's
name; it fails with UnauthorizedLogin, or TemporaryFailure where nothing could be decided. `protocols` makes the
credentials; whoever writes a checker reads them.
"""

from __future__ import annotations

from collections.abc import Sequence

from twisted.cred.credentials import ICredentials
from twisted.internet.defer import Deferred
from zope.interface import Attribute, Interface

from ..mail.app_password import AppPassword
from ..mail.scram import ScramHash, ScramVerifier
from .store import IDirectory


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


class IAppPasswords(Interface):
    """What a directory may provide beside IDirectory: app passwords of its users. They go with their user."""

    def add_app_password(name: str, app_password: AppPassword) -> Deferred[None]:
        """Keep one more. Fails with: NoSuchAccount; AppPasswordExists: the label or the digest is taken."""

    def remove_app_password(name: str, label: str) -> Deferred[None]:
        """It is no password any more. Fails with: NoSuchAppPassword."""

    def app_passwords(name: str) -> Deferred[Sequence[AppPassword]]:
        """Those of a user, sorted by label; none for who does not exist."""

    def app_password_used(name: str, label: str, at: int) -> Deferred[None]:
        """Note a use, in seconds since the epoch. The directory's `version` stays. An unknown one is passed over."""


class IVerifierKeeping(Interface):
    """What a directory may provide beside IDirectory: SCRAM verifiers. `set_password_hash` makes the old ones go."""

    def verifiers(name: str) -> Deferred[Sequence[ScramVerifier]]:
        """Those of a user, one of a hash at most; none for who does not exist."""

    def keep_verifiers(name: str, password_hash: str, verifiers: Sequence[ScramVerifier]) -> Deferred[bool]:
        """
        Replace a user's verifiers, if `password_hash` is the stored one still.

        Fires with whether it was. So what was computed of an old password never comes after the new one.
        """

    def names_with_verifiers() -> Deferred[Sequence[str]]:
        """The names of all users who have any, in no order."""


def app_passwords_of(directory: IDirectory) -> IAppPasswords | None:
    """The directory's door for app passwords, if it has one."""
    found: IAppPasswords | None = IAppPasswords(directory, None)
    return found


def verifiers_of(directory: IDirectory) -> IVerifierKeeping | None:
    """The directory's door for SCRAM verifiers, if it has one."""
    found: IVerifierKeeping | None = IVerifierKeeping(directory, None)
    return found
