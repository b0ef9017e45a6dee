"""
Logging in, the same for SMTP, IMAP and POP3: may the password be shown to the line, is it right, how long to wait.

Decides the account's name from what the user typed, and which failure the peer is told of. Does not know how
passwords are kept: that is for the checkers of the portal. Neighbours: `wire.sasl` reads the credentials,
`auth` has checkers, realm and the record of failed attempts.
"""

from __future__ import annotations

import unicodedata
from ipaddress import IPv6Address, ip_address
from typing import Literal

from twisted.cred.credentials import UsernamePassword
from twisted.cred.error import LoginFailed, UnhandledCredentials
from twisted.cred.portal import Portal
from twisted.internet.defer import CancelledError
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger
from zope.interface import implementer

from ..interfaces.auth import IAttempts, ILogin
from ..interfaces.deferred import returns_deferred
from ..mail.envelope import Peer
from ..mail.errors import MailError, NoSuchAccount, PermanentFailure, TemporaryFailure
from ..mail.status import EnhancedStatus
from ..wire.sasl.server import mechanisms

Plaintext = Literal["never", "loopback", "always"]

# Who would have to wait longer is sent away: a mailer gives up by then, and a waiting session costs memory.
LONGEST_DELAY_SECONDS = 30.0

_AUTHENTICATION_FAILED = EnhancedStatus(5, 7, 8)
_TEMPORARY_AUTHENTICATION_FAILURE = EnhancedStatus(4, 7, 0)


class LoginRefused(PermanentFailure):
    """The name and the password do not belong together, or the name does not exist: nobody is told which."""

    default_status = _AUTHENTICATION_FAILED


class Authenticator:
    """Checks names and passwords against a portal, and slows repeated failures down."""

    _log = Logger()

    def __init__(
        self,
        portal: Portal,
        attempts: IAttempts,
        clock: IReactorTime,
        plaintext: Plaintext = "loopback",
        default_domain: str = "",
    ) -> None:
        """
        Args:
            portal: gives ILogin for IUsernamePassword.
            attempts: the record of failed attempts, shared by all listeners.
            clock: for the delays.
            plaintext: where passwords may cross a connection without TLS.
            default_domain: for names without "@"; "" leaves them as they are.
        """
        self._portal = portal
        self._attempts = attempts
        self._clock = clock
        self._plaintext = plaintext
        self._default_domain = default_domain

    def plaintext_allowed(self, peer: Peer) -> bool:
        """Whether this peer may show a password now: under TLS always, else as the setting says."""
        if peer.tls or self._plaintext == "always":
            return True
        return self._plaintext == "loopback" and is_loopback(peer.host)

    def mechanisms(self, peer: Peer) -> tuple[str, ...]:
        """The SASL mechanisms that this peer may begin now, in the order in which they are told."""
        return mechanisms(peer.tls, self.plaintext_allowed(peer))

    def is_same_account(self, one: str, other: str) -> bool:
        """Whether two typed names mean one account."""
        return account_name(one, self._default_domain) == account_name(other, self._default_domain)

    @returns_deferred
    async def login(self, peer: Peer, username: str, password: str) -> ILogin:
        """
        Prove an identity. Fires with the account's ILogin.

        Fails with: LoginRefused, after which the same password will not do; TemporaryFailure, where nothing could
        be decided. Both texts may be shown. May take its time: an address that has failed before waits first.
        Cancelling ends the wait and the check, and counts as nothing.
        """
        name = account_name(username, self._default_domain)
        await self._wait(peer, name)
        try:
            credentials = UsernamePassword(name.encode("utf-8"), password.encode("utf-8"))
            # twisted.cred's own promise: (the interface, the avatar, logout).
            _, avatar, _ = await self._portal.login(credentials, None, ILogin)
        except CancelledError:
            raise
        except UnhandledCredentials as error:
            self._log.failure("no checker takes a user name and a password")
            raise _undecided() from error
        except (LoginFailed, NoSuchAccount, LoginRefused) as error:
            self._attempts.failed(peer.host, name)
            self._log.info(
                "login of {account!r} from {peer} refused", account=name, peer=peer.host, session=peer.session
            )
            raise LoginRefused("user name or password is wrong") from error
        except TemporaryFailure as error:
            self._log.warn("login of {account!r} undecided: {reason}", account=name, reason=error.text)
            raise _undecided() from error
        except Exception as error:
            self._log.failure("login of {account!r} broke", account=name)
            raise _undecided() from error
        self._attempts.succeeded(peer.host, name)
        return ILogin(avatar)

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

    Composed by Unicode's NFC and in lower case, with the default domain where there is no "@". This is less than
    SASLprep (RFC 4013) asks for: widths and look-alikes stay apart, and so are simply names that do not exist.
    """
    name = unicodedata.normalize("NFC", username.strip(" ")).lower()
    return f"{name}@{default_domain}" if default_domain and "@" not in name else name


def is_loopback(host: str) -> bool:
    """Whether an address cannot leave this machine: 127.0.0.0/8, ::1, their mapped forms, or a unix socket ("")."""
    if not host:
        return True
    try:
        address = ip_address(host)
    except ValueError:
        return False
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped.is_loopback
    return address.is_loopback


def _undecided() -> MailError:
    return TemporaryFailure("cannot check the password now, try again later", _TEMPORARY_AUTHENTICATION_FAILURE)
