"""The factory for each service that a listener may offer, joined over one doors."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil

from twisted.cred.credentials import IUsernameHashedPassword
from twisted.cred.portal import Portal
from twisted.logger import Logger

from .. import __version__
from ..auth.throttle import FailedLogins
from ..mail.envelope import Service
from ..protocols.imap import IMAPFactory, IMAPSettings
from ..protocols.login import Authenticator
from ..protocols.pop3 import LoginDelay, POP3Factory, POP3Settings
from ..protocols.smtp import SMTPFactory
from .config import Config, ListenSettings
from .doors import Doors
from .incoming import Incoming
from .smtp_settings import smtp_settings
from .storage import Reactor
from .tls import ServerTLS

Factory = SMTPFactory | POP3Factory | IMAPFactory


class Offering:
    """
    Makes the factories: all of them share the record of failed logins, and what they ask.

    Attribute: `attempts`, that record.
    """

    _log = Logger()

    def __init__(
        self,
        config: Config,
        reactor: Reactor,
        doors: Doors,
        portal: Portal,
        incoming: Incoming,
        tls: ServerTLS,
        decoy_key: Callable[[], bytes],
    ) -> None:
        self._config = config
        self._reactor = reactor
        self._store = doors.store
        self._incoming = incoming
        self._tls = tls
        # A proxy may name any address for its client: what it says for itself is nobody's guess.
        trusted = [str(network) for network in (*config.limits.trusted_networks, *config.proxy.trusted)]
        self.attempts = FailedLogins(reactor.seconds, trusted)
        self._authenticator = Authenticator(
            portal,
            self.attempts,
            reactor,
            config.auth.plaintext,
            config.domains[0],
            mechanisms=config.auth.mechanisms,
            decoy_key=decoy_key,
        )
        self._login_delay = LoginDelay(reactor, ceil(config.pop3.login_delay))
        if config.pop3.apop and not self._authenticator.takes(IUsernameHashedPassword):
            self._log.warn("pop3.apop is set, but nobody here keeps secrets in plain: APOP is not offered")

    def factory(self, listen: ListenSettings) -> Factory:
        """What is served at this place of the configuration."""
        service = Service(listen.service)
        tls = self._tls.serving(service, asks=listen.auth != "off") if listen.tls == "starttls" else None
        match service:
            case Service.POP3:
                pop3 = self._pop3_settings()
                return POP3Factory(self._store, pop3, self._reactor, self._authenticator, tls, self._login_delay)
            case Service.IMAP:
                imap = self._imap_settings()
                return IMAPFactory(self._store, imap, self._reactor, self._authenticator, tls)
            case _:
                smtp = smtp_settings(self._config, listen)
                policy, intake = self._incoming.policy_for(listen), self._incoming.intake
                return SMTPFactory(policy, intake, smtp, self._reactor, self._authenticator, tls)

    def _pop3_settings(self) -> POP3Settings:
        config = self._config
        return POP3Settings(
            hostname=config.hostname,
            timeout_seconds=config.pop3.idle_timeout,
            implementation=f"twisted-mail-node-{__version__}",
            language=config.pop3.language,
            login_delay_seconds=ceil(config.pop3.login_delay),
            utf8_headers=config.pop3.utf8_headers,
            apop=config.pop3.apop,
        )

    def _imap_settings(self) -> IMAPSettings:
        config = self._config
        return IMAPSettings(
            hostname=config.hostname,
            delimiter=config.imap.delimiter,
            max_message_octets=config.limits.max_message_size,
            inactivity_seconds=config.imap.idle_timeout,
            language=config.imap.language,
            compress=config.imap.compress,
            unauthenticate=config.imap.unauthenticate,
            comment=config.imap.comment,
            admin=config.imap.admin or f"mailto:postmaster@{config.domains[0]}",
            other_users=config.imap.other_users,
            metadata_octets=config.imap.annotation_size,
            administrators=config.quota.administrators,
            metadata_entries=config.imap.annotations,
            version=__version__,
        )
