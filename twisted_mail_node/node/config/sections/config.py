"""The configuration as a whole: all tables, and what follows from several of them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field

from ....mail.envelope import Service
from ....mail.special_use import USE_OF_NAME
from ..endpoint import split_endpoint
from ..values import FilePath, HostName
from .auth import AuthSettings
from .clients import (
    AuthMode,
    DomainSettings,
    LimitSettings,
    ListenSettings,
    ProxySettings,
    ServiceName,
    TLSMode,
    TLSSettings,
)
from .mailboxes import IMAPSettings, POP3Settings, QuotaSettings, StoreSettings
from .sending import DNSSettings, QueueSettings, RelaySettings
from .smtp import SMTPSettings, SubmissionSettings
from .table import Table


def _default_listen() -> tuple[ListenSettings, ...]:
    def at(service: ServiceName, port: int, tls: TLSMode | None = None) -> ListenSettings:
        return ListenSettings(service=service, endpoint=f"tcp:{port}:interface=127.0.0.1", tls=tls)

    return (
        at("smtp", 2525),
        at("submission", 2587),
        at("submission", 2465, "implicit"),
        at("pop3", 2110),
        at("pop3", 2995, "implicit"),
        at("imap", 2143),
        at("imap", 2993, "implicit"),
        ListenSettings(service="lmtp", endpoint="unix:{state_dir}/lmtp.sock:mode=600:lockfile=0"),
    )


class Config(Table):
    """
    The configuration as a whole. Paths are absolute.

    `without_file` is no setting: it is true for the start without a configuration file, in which the node makes
    a certificate and a first account for itself.
    """

    hostname: HostName = Field(
        default="localhost", description="The name of this node in greetings, trace headers, EHLO."
    )
    state_dir: FilePath = Field(
        default=Path("mailnode-state"), description="The folder for all that the node keeps; made with mode 0700."
    )
    domain: Annotated[tuple[DomainSettings, ...], Field(min_length=1)] = Field(
        default=(DomainSettings(name="localhost"),),
        description="The domains at home here; the first is for logins without @.",
    )
    listen: Annotated[tuple[ListenSettings, ...], Field(min_length=1)] = Field(
        default_factory=_default_listen, description="Where clients are served."
    )
    tls: TLSSettings | None = Field(default=None, description="The certificate; absent: no TLS.")
    auth: AuthSettings = Field(default=AuthSettings(), description="How clients prove who they are.")
    dns: DNSSettings = Field(default=DNSSettings(), description="Who is asked for MX and addresses.")
    store: StoreSettings = Field(default=StoreSettings(), description="Where mail is kept.")
    smtp: SMTPSettings = Field(default=SMTPSettings(), description="What is taken in.")
    submission: SubmissionSettings = Field(default=SubmissionSettings(), description="What accounts may send.")
    relay: RelaySettings = Field(default=RelaySettings(), description="How mail is sent on.")
    queue: QueueSettings = Field(default=QueueSettings(), description="How long and how often sending is tried.")
    pop3: POP3Settings = Field(default=POP3Settings(), description="POP3.")
    imap: IMAPSettings = Field(default=IMAPSettings(), description="IMAP.")
    quota: QuotaSettings = Field(default=QuotaSettings(), description="How much an account may hold.")
    limits: LimitSettings = Field(default=LimitSettings(), description="What anyone may use.")
    proxy: ProxySettings = Field(default=ProxySettings(), description="Who may stand in front of haproxy: endpoints.")
    without_file: bool = Field(default=False, exclude=True)

    @property
    def has_certificate(self) -> bool:
        """Whether TLS can be offered."""
        return self.tls is not None or self.without_file

    @property
    def domains(self) -> tuple[str, ...]:
        """The domains' names; the first is for logins without @."""
        return tuple(domain.name for domain in self.domain)

    @property
    def new_mailboxes(self) -> tuple[tuple[str, str | None], ...]:
        """(name, special use) of the mailboxes of a new account."""
        return tuple((name, USE_OF_NAME.get(name)) for name in self.imap.new_mailboxes)

    def listeners(self) -> tuple[ListenSettings, ...]:
        """
        The listeners with nothing left open: tls and auth are told for each.

        The default listeners do without TLS where there is no certificate: those with implicit TLS are left out.
        """
        given = "listen" in self.model_fields_set
        return tuple(
            self._settled(listen) for listen in self.listen if given or self.has_certificate or listen.tls != "implicit"
        )

    def _settled(self, listen: ListenSettings) -> ListenSettings:
        layered = self.has_certificate and listen.service != "lmtp" and split_endpoint(listen.endpoint).kind != "ssl"
        tls: TLSMode = listen.tls or ("starttls" if layered else "none")
        auth: AuthMode = listen.auth or (
            "off" if Service(listen.service) in (Service.SMTP, Service.LMTP) else "required"
        )
        return listen.model_copy(update={"tls": tls, "auth": auth})
