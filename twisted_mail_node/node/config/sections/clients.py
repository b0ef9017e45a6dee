"""Where clients are served, by which certificates, and how many: [[domain]], [[listen]], [tls], [limits], [proxy]."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from ..values import Count, EndpointText, FilePath, HostName, Limit, NetworkText, OptionalFile, Size, Wait
from .table import Table

ServiceName = Literal["smtp", "submission", "lmtp", "pop3", "imap"]
TLSMode = Literal["none", "starttls", "implicit"]
TLSPolicy = Literal["intermediate", "modern"]
AuthMode = Literal["off", "optional", "required"]


class DomainSettings(Table):
    """[[domain]]: a domain whose mail is at home here."""

    name: HostName = Field(description="The domain.")


class ListenSettings(Table):
    """[[listen]]: one place where clients are served."""

    service: ServiceName = Field(description="What is spoken there.")
    endpoint: EndpointText = Field(description="A Twisted endpoint string; tcp: unix: systemd: haproxy: ssl:")
    tls: TLSMode | None = Field(
        default=None,
        description='Default: "starttls" where a certificate is at hand and the service is not lmtp, else "none".',
    )
    auth: AuthMode | None = Field(
        default=None, description='For smtp and submission. Default: smtp "off", submission "required".'
    )


class FurtherCertificate(Table):
    """[[tls.further]]: another certificate: for other names, or with another kind of key for the same."""

    certificate: FilePath = Field(description="As in [tls].")
    private_key: FilePath = Field(description="As in [tls].")


class TLSSettings(Table):
    """[tls]: the certificates, and what is spoken. Without this table there is no TLS."""

    certificate: FilePath = Field(description="PEM file: the certificate, then those that lead to its root.")
    private_key: FilePath = Field(description="PEM file: the key, without a passphrase.")
    policy: TLSPolicy = Field(
        default="intermediate", description="Versions and ciphers, as Mozilla names them; modern: TLS 1.3 alone."
    )
    client_authorities: OptionalFile = Field(
        default=None,
        description="PEM file of the authorities that users' certificates come from; empty: none asked for.",
    )
    client_revocations: OptionalFile = Field(
        default=None, description="PEM file of these authorities' revocation lists; empty: none are asked."
    )
    further: tuple[FurtherCertificate, ...] = Field(
        default=(), description="Chosen by the name that the client asks for; the first is for any other."
    )


class LimitSettings(Table):
    """[limits]: what anyone may use."""

    max_message_size: Annotated[Size, Field(ge=1)] = Field(
        default=50 * 1024 * 1024, description="The largest message, told in SIZE."
    )
    connections: Count = Field(default=2000, description="Clients at a time, over all listeners.")
    connections_per_address: Count = Field(default=50, description="Clients at a time from one address.")
    connection_rate: Limit = Field(
        default=0,
        description="Connections from one address in rate_span to service smtp; 0 for any number "
        "(smtpd_client_connection_rate_limit of Postfix).",
    )
    message_rate: Limit = Field(
        default=0,
        description="Messages from one address in rate_span to service smtp; 0 for any number "
        "(smtpd_client_message_rate_limit of Postfix).",
    )
    rate_span: Wait = Field(
        default=60.0, description="The time in which these are counted (anvil_rate_time_unit of Postfix)."
    )
    trusted_networks: tuple[NetworkText, ...] = Field(
        default=("127.0.0.0/8", "::1"),  # type: ignore[arg-type]  # read like any value: defaults are validated
        description="Exempt from per-address counts, delays, and counts of messages and commands; never from memory "
        "bounds.",
    )


class ProxySettings(Table):
    """[proxy]: haproxy: endpoints."""

    trusted: tuple[NetworkText, ...] = Field(
        default=("127.0.0.0/8", "::1"),  # type: ignore[arg-type]  # as above
        description="Who may connect to haproxy: endpoints; the PROXY header of anyone else is not believed.",
    )
