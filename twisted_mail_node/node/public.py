"""
What an application that embeds the node uses: `assemble` for a whole node, or factories for its own endpoints.

The factories here are those of `protocols`, made from a portal and a store alone. They keep no record of failed
logins unless they are given one, and close nothing by themselves: call `close_all` before the application stops.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace

from twisted.cred.portal import Portal

from ..auth.certificates import CertificateChecker
from ..auth.portal import MailRealm
from ..auth.scram import ScramChecker
from ..auth.tokens import TokenChecker
from ..dns.resolver import MXResolver
from ..intake import Intake, IntakeSettings, TransactionIds
from ..interfaces.auth import IAttempts
from ..interfaces.intake import IIntake
from ..interfaces.policy import ISMTPPolicy
from ..interfaces.queue import IQueueStore
from ..interfaces.store import IDirectory, IMailStore
from ..mail.envelope import Service
from ..mail.scram import ScramHash, ScramVerifier
from ..policy import Recipients, RecipientSettings, RelayPolicy
from ..protocols import imap, pop3, smtp
from ..protocols.imap import IMAPSettings
from ..protocols.login import Authenticator, Plaintext, UncountedAttempts
from ..protocols.pop3 import POP3Settings
from ..protocols.smtp import SMTPSettings
from ..store.completed import CompletedStore
from ..store.memory import MemoryStore
from ..store.sql import SQLiteStore
from ..wire.sasl.mechanisms import DEFAULT
from ..wire.smtp.offer import Extension
from .assemble import assemble
from .config import Config, ConfigError, load_config, parse_config
from .doors import Storage
from .errors import CannotStart
from .incoming import make_lead, make_report
from .listening import Listener
from .service import MailNode
from .storage import Reactor


class SMTPFactory(smtp.SMTPFactory):
    """Makes SMTP, submission or LMTP sessions over a store."""

    def __init__(
        self,
        portal: Portal,
        store: IMailStore,
        settings: SMTPSettings,
        *,
        reactor: Reactor,
        domains: Sequence[str] = (),
        directory: IDirectory | None = None,
        policy: ISMTPPolicy | None = None,
        intake: IIntake | None = None,
        tls_context: object | None = None,
        attempts: IAttempts | None = None,
        plaintext: Plaintext = "loopback",
        mechanisms: Sequence[str] = DEFAULT,
    ) -> None:
        """
        Args:
            portal: gives ILogin for IUsernamePassword, or for what `interfaces.credentials` has beside it.
            store: takes the messages; what goes elsewhere needs one that provides IQueueStore, and a node to run it.
            settings: of this listener.
            reactor: for timeouts.
            domains: whose mail is at home here; the first completes addresses and user names without one.
            directory: where addresses lead; the store, where it provides IDirectory.
            policy: says who may send to whom, in place of the rule made of `domains` and `directory`.
            intake: takes the messages, in place of one over `store`.
            tls_context: what `startTLS` takes; None does not offer STARTTLS.
            attempts: the record of failed logins.
            plaintext: where passwords may cross a connection without TLS.
            mechanisms: of SASL, in the order in which they are told; what the portal does not take is left out.

        Raises: ValueError: there is no directory or no domain, and no policy or no intake.
        """
        first = domains[0] if domains else settings.hostname
        if policy is None or intake is None:
            found = directory or IDirectory(store, None)
            if found is None or not domains:
                raise ValueError("SMTPFactory needs domains and a directory, or both a policy and an intake")
            led = RecipientSettings(domains=domains, postmaster=f"postmaster@{first}")
            recipients = Recipients(found, led)
            policy = policy or RelayPolicy(recipients)
            if intake is None:
                intake = _intake(store, settings, reactor, recipients, first)
                settings = _without_reports(settings, store)
        counted = attempts or UncountedAttempts()
        authenticator = Authenticator(portal, counted, reactor, plaintext, first, mechanisms=mechanisms)
        super().__init__(policy, intake, settings, reactor, authenticator, tls_context)


def _intake(
    store: IMailStore, settings: SMTPSettings, reactor: Reactor, recipients: Recipients, domain: str
) -> IIntake:
    ids = TransactionIds(reactor, os.urandom)
    taken = IntakeSettings(hostname=settings.hostname, max_size=settings.max_message_size)
    report = make_report(settings.hostname, domain, ids)
    return Intake(store, reactor, ids, report, taken, resolve=make_lead(recipients))


def _without_reports(settings: SMTPSettings, store: IMailStore) -> SMTPSettings:
    """Where there is no queue, success can't be reported to a sender elsewhere, as who offers DSN must."""
    if IQueueStore(store, None) is not None:
        return settings
    return replace(settings, extensions=settings.extensions - {Extension.DSN})


class POP3Factory(pop3.POP3Factory):
    """Makes POP3 sessions over a store."""

    def __init__(
        self,
        portal: Portal,
        store: IMailStore,
        settings: POP3Settings | None = None,
        *,
        reactor: Reactor,
        default_domain: str = "",
        tls_context: object | None = None,
        attempts: IAttempts | None = None,
        plaintext: Plaintext = "loopback",
        mechanisms: Sequence[str] = DEFAULT,
    ) -> None:
        """As SMTPFactory; `default_domain` completes user names without one."""
        counted = attempts or UncountedAttempts()
        authenticator = Authenticator(portal, counted, reactor, plaintext, default_domain, mechanisms=mechanisms)
        super().__init__(store, settings or POP3Settings(), reactor, authenticator, tls_context)


class IMAPFactory(imap.IMAPFactory):
    """Makes IMAP sessions over a store."""

    def __init__(
        self,
        portal: Portal,
        store: IMailStore,
        settings: IMAPSettings | None = None,
        *,
        reactor: Reactor,
        default_domain: str = "",
        tls_context: object | None = None,
        attempts: IAttempts | None = None,
        plaintext: Plaintext = "loopback",
        mechanisms: Sequence[str] = DEFAULT,
    ) -> None:
        """As SMTPFactory; `default_domain` completes user names without one."""
        counted = attempts or UncountedAttempts()
        authenticator = Authenticator(portal, counted, reactor, plaintext, default_domain, mechanisms=mechanisms)
        super().__init__(store, settings or IMAPSettings(), reactor, authenticator, tls_context)


__all__ = [
    "CannotStart",
    "CertificateChecker",
    "CompletedStore",
    "Config",
    "ConfigError",
    "IMAPFactory",
    "IMAPSettings",
    "Listener",
    "MXResolver",
    "MailNode",
    "MailRealm",
    "MemoryStore",
    "POP3Factory",
    "POP3Settings",
    "SMTPFactory",
    "SMTPSettings",
    "SQLiteStore",
    "ScramChecker",
    "ScramHash",
    "ScramVerifier",
    "Service",
    "Storage",
    "TokenChecker",
    "assemble",
    "load_config",
    "parse_config",
]
