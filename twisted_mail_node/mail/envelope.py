"""
The envelope: who sends to whom, and what was asked for on the way. Sources: RFC 5321 §2.3.1, §3.3; RFC 6152; RFC 3030.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from .address import Address
from .options import NO_MAIL_OPTIONS, NO_RECIPIENT_OPTIONS, MailOptions, RecipientOptions


class Service(Enum):
    """What a listener is for; the name is the one the configuration uses."""

    SMTP = "smtp"
    SUBMISSION = "submission"
    LMTP = "lmtp"
    POP3 = "pop3"
    IMAP = "imap"


class BodyType(Enum):
    """The BODY= parameter of MAIL. Sources: RFC 6152 §3; RFC 3030 §3."""

    SEVEN_BIT = "7BIT"
    EIGHT_BIT_MIME = "8BITMIME"
    BINARY_MIME = "BINARYMIME"


@dataclass(frozen=True, slots=True)
class Peer:
    """
    Who is at the other end of a connection.

    `host` is the IP address as text, or "" for a unix socket; `tls` says that the connection is protected now;
    `tls_version` and `cipher` describe it for the trace header; `session` is the id of the session, for logs. `name` is
    the host's name in DNS, where somebody in front who is trusted has told it.
    """

    host: str
    port: int = 0
    tls: bool = False
    tls_version: str = ""
    cipher: str = ""
    session: str = ""
    name: str = ""

    @property
    def is_local_socket(self) -> bool:
        """True for a peer on a unix socket of this machine."""
        return not self.host


@dataclass(frozen=True, slots=True)
class Forwarded:
    """
    Whom a trusted filter in front of this node has the message from, by XFORWARD; "" is what it does not know.

    It is for the log and the trace, and decides nothing. `identifier` is the filter's or its client's own for the
    message, `source` LOCAL or REMOTE.
    """

    name: str = ""
    host: str = ""
    port: str = ""
    protocol: str = ""
    hello: str = ""
    identifier: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class Client:
    """
    What a policy may know of an SMTP client at some stage.

    `hello` is the name it gave (empty before), `esmtp` whether by EHLO or LHLO, `account` the account it
    authenticated as, or None. `forwarded` tells whom the client itself has the message from.
    """

    peer: Peer
    service: Service
    hello: str = ""
    esmtp: bool = False
    account: str | None = None
    forwarded: Forwarded | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """One mailbox that a recipient address leads to. `mailbox` is a hint: INBOX is used where it does not exist."""

    account: str
    mailbox: str = "INBOX"


@dataclass(frozen=True, slots=True)
class Recipient:
    """
    An accepted recipient and where it leads.

    `address` is what RCPT TO said. `targets` are local mailboxes, `forwards` addresses elsewhere; together at
    least one. An address that is not ours and may be relayed has itself as its only forward.
    """

    address: Address
    targets: tuple[Target, ...] = ()
    forwards: tuple[Address, ...] = ()
    options: RecipientOptions = NO_RECIPIENT_OPTIONS


@dataclass(frozen=True, slots=True)
class Envelope:
    """
    A complete envelope, ready for its message.

    `sender` is None for the null reverse-path `<>` (RFC 5321 §4.5.5). `declared_size` is SIZE= in octets, 0 when
    it was not told (RFC 1870).
    """

    client: Client
    sender: Address | None
    recipients: tuple[Recipient, ...]
    body_type: BodyType = BodyType.SEVEN_BIT
    declared_size: int = 0
    parameters: tuple[tuple[str, str], ...] = field(default=())
    options: MailOptions = NO_MAIL_OPTIONS
