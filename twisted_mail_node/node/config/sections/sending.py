"""What leaves, and who is asked for the way: [relay], [queue], [dns]."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, SecretStr

from ..values import Count, NameServer, OptionalFile, Port, Seconds, SmartHost, Wait
from .table import Table


class RelaySettings(Table):
    """[relay]: how mail is sent to other nodes."""

    port: Port = Field(default=25, description="Where other nodes listen.")
    smarthost: SmartHost = Field(default="", description='"host:port" that takes all outgoing mail; "": find the MX.')
    smarthost_tls: Literal["none", "may", "encrypt", "verify"] = Field(
        default="verify", description="TLS with the smarthost; verify checks its certificate."
    )
    trusted_certificates: OptionalFile = Field(
        default=None, description="PEM file of the authorities that verify trusts; empty: the system's."
    )
    smarthost_username: str = Field(default="", description="For AUTH at the smarthost; empty: no AUTH.")
    smarthost_password: SecretStr = Field(default=SecretStr(""), description="For AUTH at the smarthost.")
    ignored_extensions: tuple[Literal["PIPELINING", "SIZE", "CHUNKING", "DSN"], ...] = Field(
        default=(), description="What other hosts offer and is not made use of, where one does not keep its promise."
    )


class QueueSettings(Table):
    """[queue]: how long outgoing mail is tried, and how much at once."""

    give_up_after: Seconds = Field(
        default=432000.0, description="Age at which a message that could not be sent is returned."
    )
    retry_after: tuple[Wait, ...] = Field(
        default=(60.0, 300.0, 900.0, 1800.0, 3600.0, 7200.0, 14400.0),
        description="Waits after the first failures, one after the other.",
    )
    then_every: Wait = Field(default=28800.0, description="The wait after each further failure.")
    connections_per_destination: Count = Field(default=5, description="Connections to one destination at a time.")
    connections: Count = Field(default=200, description="Outgoing connections in all.")
    lease: Wait = Field(
        default=300.0, description="For how long a node has what it is about to send; a dead node's is then another's."
    )


class DNSSettings(Table):
    """[dns]: who is asked for MX and addresses."""

    servers: tuple[NameServer, ...] = Field(
        default=(), description="IP addresses, port 53 unless told. Empty: the system's."
    )
