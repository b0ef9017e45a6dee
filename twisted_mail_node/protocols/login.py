"""
Logging in, the same for SMTP, IMAP and POP3: what may be shown to the line, does it prove anything, how long to wait.

Decides the account's name from what the user typed, and which failure the peer is told of. Does not know how
passwords are kept: that is for the checkers of the portal. Neighbours: `sasl` drives exchanges, `mechanisms` says which
are offered, `auth` has checkers, realm and the record of failed attempts.
"""

from __future__ import annotations

import secrets
import unicodedata
from collections.abc import Callable, Sequence
from typing import Literal

from twisted.cred.credentials import ICredentials, UsernamePassword
from twisted.cred.error import LoginFailed, UnhandledCredentials
from twisted.cred.portal import Portal
from twisted.internet.defer import CancelledError, maybeDeferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger
from zope.interface import Interface, implementer

from ..interfaces.auth import IAttempts, ILogin
from ..interfaces.deferred import returns_deferred
from ..mail.domain_name import ascii_domain
from ..mail.envelope import Peer
from ..mail.errors import MailError, NoSuchAccount, PermanentFailure, TemporaryFailure
from ..mail.host import is_loopback
from ..mail.scram import ScramHash, ScramVerifier
from ..mail.status import EnhancedStatus
from ..wire.sasl.mechanisms import DEFAULT, MECHANISMS, Shows
from .decoys import Decoys
from .mechanisms import can_check, hint_of, is_safe, verifiers_of
from .tls_line import awaits_certificate

Plaintext = Literal["never", "loopback", "always"]

# Who would have to wait longer is sent away: a mailer gives up by then, and a waiting session costs memory.
LONGEST_DELAY_SECONDS = 30.0

# As much chance as a salt has; no standard sets it.
_NONCE_OCTETS = 18

_AUTHENTICATION_FAILED = EnhancedStatus(5, 7, 8)
_TEMPORARY_AUTHENTICATION_FAILURE = EnhancedStatus(4, 7, 0)


class LoginRefused(PermanentFailure):
    """What was shown does not prove that name, or the name does not exist: nobody is told which."""

    default_status = _AUTHENTICATION_FAILED


def _random_key() -> bytes:
    return secrets.token_bytes(32)


def random_nonce() -> bytes:
    """A nonce of chance; in base64 for URLs it has neither comma nor blank (RFC 5802 §5.1)."""
    return secrets.token_urlsafe(_NONCE_OCTETS).encode("ascii")


class Authenticator:
    """Checks what clients show against a portal, and slows repeated failures down."""

    _log = Logger()

    def __init__(
        self,
        portal: Portal,
        attempts: IAttempts,
        clock: IReactorTime,
        plaintext: Plaintext = "loopback",
        default_domain: str = "",
        *,
        mechanisms: Sequence[str] = DEFAULT,
        decoy_key: Callable[[], bytes] = _random_key,
        new_nonce: Callable[[], bytes] = random_nonce,
    ) -> None:
        """
        Args:
            portal: gives ILogin for IUsernamePassword, and for those of `interfaces.credentials` that it takes.
            attempts: the record of failed attempts, shared by all listeners.
            clock: for the delays.
            plaintext: where passwords may cross a connection without TLS.
            default_domain: for names without "@"; "" leaves them as they are.
            mechanisms: of SASL, in the order in which they are told; what is not safe or not checked is left out.
            decoy_key: see Decoys; the default lasts as long as this object.
            new_nonce: gives the server's part of a nonce for SCRAM.

        Raises: ValueError: there is no mechanism of that name.
        """
        unknown = [name for name in mechanisms if name not in MECHANISMS]
        if unknown:
            raise ValueError(f"there is no mechanism {', '.join(unknown)}")
        self._portal = portal
        self._attempts = attempts
        self._clock = clock
        self._plaintext = plaintext
        self._default_domain = default_domain
        self._mechanisms = tuple(dict.fromkeys(mechanisms))
        self.new_nonce = new_nonce
        self._decoys = Decoys(decoy_key)

    def plaintext_allowed(self, peer: Peer) -> bool:
        """Whether this peer may show a password now: under TLS always, else as the setting says."""
        if peer.tls or self._plaintext == "always":
            return True
        return self._plaintext == "loopback" and is_loopback(peer.host)

    def passwords_allowed(self, peer: Peer) -> bool:
        """
        Whether this peer may log in now by name and password outside of SASL: IMAP's LOGIN, POP3's USER.

        Where the setting has no mechanism that shows a password, they are closed too.
        """
        return self.plaintext_allowed(peer) and any(
            MECHANISMS[name].shows is Shows.PASSWORD and can_check(self._portal, MECHANISMS[name])
            for name in self._mechanisms
        )

    def mechanisms(self, peer: Peer, transport: object) -> tuple[str, ...]:
        """
        The SASL mechanisms that may be begun now, in the order in which they are told.

        `transport` is what the client is at the end of, `peer` who it is, whatever a proxy may have told of it.
        """
        allowed, local = self.plaintext_allowed(peer), is_loopback(peer.host)
        return tuple(
            name
            for name in self._mechanisms
            if can_check(self._portal, MECHANISMS[name])
            and is_safe(MECHANISMS[name], peer, transport, clear_allowed=allowed, is_local=local)
        )

    def will_know_more(self, transport: object) -> bool:
        """Whether there may be another mechanism once the TLS handshake is over: EXTERNAL, by a certificate."""
        external = MECHANISMS["EXTERNAL"]
        wanted = external.name in self._mechanisms and can_check(self._portal, external)
        return wanted and awaits_certificate(transport)

    def takes(self, credentials: type[Interface]) -> bool:
        """Whether the portal has a checker for credentials of this kind."""
        return credentials in self._portal.checkers

    def account_name(self, typed: str) -> str:
        """The account that a typed name means."""
        return account_name(typed, self._default_domain)

    async def verifier(self, name: str, hash: ScramHash) -> ScramVerifier:
        """
        The account's SCRAM verifier, or one that nothing matches: the client is not told which.

        Fails with: TemporaryFailure.
        """
        verifiers = verifiers_of(self._portal)
        if verifiers is None:
            raise _undecided()
        try:
            found: ScramVerifier | None = await verifiers.verifier(name, hash)
            return found if found is not None else self._decoys.verifier(name, hash, verifiers.iterations)
        except (CancelledError, TemporaryFailure):
            raise
        except Exception as error:
            self._log.failure("the verifier of {account!r} cannot be had", account=name)
            raise _undecided() from error

    def token_hint(self) -> tuple[str, str]:
        """What a client is told whose token was refused: scope and address of the issuer."""
        return hint_of(self._portal)

    @returns_deferred
    async def login_vouched_for(self, username: str) -> ILogin:
        """
        The ILogin of an account whose login somebody trusted has seen. Fails as the portal's realm does.

        Whether there is such an account is told by what is asked of it.
        """
        name = account_name(username, self._default_domain).encode("utf-8")
        # twisted.cred's own promise: (the interface, the avatar, logout).
        _, avatar, _ = await maybeDeferred(self._portal.realm.requestAvatar, name, None, ILogin)
        return ILogin(avatar)

    @returns_deferred
    async def login(self, peer: Peer, username: str, password: str) -> ILogin:
        """Prove an identity by a password. Fires and fails as `enter` does."""
        name = self.account_name(username)
        credentials = UsernamePassword(name.encode("utf-8"), password.encode("utf-8"))
        return await self.enter(peer, name, credentials, "user name or password is wrong")

    async def enter(self, peer: Peer, name: str, credentials: ICredentials, refusal: str, flaw: str = "") -> ILogin:
        """
        Prove an identity: the account's ILogin.

        Args:
            peer: who is to wait.
            name: the account's, for the record; "" where the credentials alone know.
            credentials: what the portal is shown.
            refusal: what is told to who is refused.
            flaw: for the log, what is known to be wrong with the credentials.

        Fails with: LoginRefused, after which the same credentials will not do; TemporaryFailure, where nothing could
        be decided. Both texts may be shown. May take its time: an address that has failed before waits first.
        Cancelling ends the wait and the check, and counts as nothing.
        """
        await self._wait(peer, name)
        try:
            # twisted.cred's own promise: (the interface, the avatar, logout).
            _, avatar, _ = await self._portal.login(credentials, None, ILogin)
        except CancelledError:
            raise
        except UnhandledCredentials as error:
            self._log.failure("no checker takes what {account!r} has shown", account=name)
            raise _undecided() from error
        except (LoginFailed, NoSuchAccount, LoginRefused) as error:
            self._attempts.failed(peer.host, name)
            self._log.info(
                "login of {account!r} from {peer} refused" + (": {flaw}" if flaw else ""),
                account=name,
                peer=peer.host,
                session=peer.session,
                flaw=flaw,
            )
            raise LoginRefused(refusal) from error
        except TemporaryFailure as error:
            self._log.warn("login of {account!r} undecided: {reason}", account=name, reason=error.text)
            raise _undecided() from error
        except Exception as error:
            self._log.failure("login of {account!r} broke", account=name)
            raise _undecided() from error
        login = ILogin(avatar)
        self._attempts.succeeded(peer.host, name or login.name)
        return login

    async def _wait(self, peer: Peer, name: str) -> None:
        delay = self._attempts.delay_before(peer.host, name)
        if delay > LONGEST_DELAY_SECONDS:
            self._log.info("too many failed logins from {peer}", peer=peer.host, account=name)
            raise TemporaryFailure("too many failed logins, try again later", _TEMPORARY_AUTHENTICATION_FAILURE)
        if delay > 0:
            await deferLater(self._clock, delay)


@implementer(IAttempts)
class UncountedAttempts:
    """For who keeps no record: nobody waits."""

    def delay_before(self, host: str, name: str) -> float:
        """See IAttempts."""
        return 0.0

    def failed(self, host: str, name: str) -> None:
        """See IAttempts."""

    def succeeded(self, host: str, name: str) -> None:
        """See IAttempts."""


def account_name(username: str, default_domain: str = "") -> str:
    """
    The account that a typed name means.

    Composed by Unicode's NFC and in lower case, with the default domain where there is no "@", and any domain as
    A-labels. This is less than SASLprep (RFC 4013) asks for: widths and look-alikes stay apart, and so are simply names
    that do not exist.
    """
    name = unicodedata.normalize("NFC", username.strip(" ").lower())
    if "@" not in name:
        return f"{name}@{default_domain}" if default_domain else name
    local_part, _, domain = name.rpartition("@")
    try:
        return f"{local_part}@{ascii_domain(domain)}"
    except ValueError:
        return name


def _undecided() -> MailError:
    return TemporaryFailure("cannot check that now, try again later", _TEMPORARY_AUTHENTICATION_FAILURE)
