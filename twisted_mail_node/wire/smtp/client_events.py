"""
What the client's engine tells its driver, and what it is asked to send. Neighbours: `client` is the engine.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto

from ...mail.address import Address
from ...mail.envelope import BodyType
from ...mail.options import NO_MAIL_OPTIONS, NO_RECIPIENT_OPTIONS, MailOptions, RecipientOptions
from ...mail.status import Reply


class Step(Enum):
    """What is being waited for; the driver has a time limit for each (RFC 5321 §4.5.3.2)."""

    GREETING = auto()
    HELLO = auto()
    TLS = auto()
    """STARTTLS was sent, or accepted and the handshake is the driver's turn."""
    LOGIN = auto()
    IDLE = auto()
    """Nothing: a message may be sent."""
    RESET = auto()
    MAIL = auto()
    RECIPIENT = auto()
    DATA = auto()
    CONTENT = auto()
    """The driver's turn to give content."""
    CHUNK = auto()
    """The answer to a chunk of content that was not the last."""
    END = auto()
    """The answer to the end of the content."""
    QUIT = auto()
    OVER = auto()


@dataclass(frozen=True, slots=True)
class OwnWords(Reply):
    """What we say where no server said anything: a connection lost, a time over. As text it has no code."""

    def __str__(self) -> str:
        return " ".join(self.lines)


@dataclass(frozen=True, slots=True)
class Unfit(OwnWords):
    """The server lacks an extension that the message cannot do without; another host may have it."""


@dataclass(frozen=True, slots=True)
class Introduced:
    """Greeting and EHLO (or HELO) are done, for the first time or again after TLS. The engine is IDLE."""


@dataclass(frozen=True, slots=True)
class TLSAccepted:
    """Begin the handshake now, then call `tls_started`."""


@dataclass(frozen=True, slots=True)
class TLSRefused:
    """STARTTLS was refused; the session goes on in plain."""

    reply: Reply


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """AUTH succeeded."""


@dataclass(frozen=True, slots=True)
class LoginRefused:
    """AUTH failed, or the server offers no mechanism of ours."""

    reply: Reply


@dataclass(frozen=True, slots=True)
class SendContent:
    """
    Content is wanted: give a piece by `content`, and the next as long as the step is CONTENT. Comes when some
    recipients are accepted, and again after each chunk that has to be answered before the next.
    """


@dataclass(frozen=True, slots=True)
class TransactionEnded:
    """
    Each recipient's reply, in the order of the recipients: positive only where the server took the message.

    `content_sent` says that the end of the content had gone out: where the connection broke after it, the
    server may have the message all the same. See `SMTPClient.step` for whether the session goes on.
    """

    results: tuple[Reply, ...]
    content_sent: bool


@dataclass(frozen=True, slots=True)
class SessionEnded:
    """
    The session is over outside a transaction: refused, closed by 421 or QUIT, broken, or lost.

    `reply` is the server's word, or OwnWords (4xx) that say what happened. `step` is where it ended.
    """

    reply: Reply
    step: Step


Event = Introduced | TLSAccepted | TLSRefused | LoggedIn | LoginRefused | SendContent | TransactionEnded | SessionEnded


@dataclass(frozen=True, slots=True)
class Addressed:
    """One recipient, with what is asked for it where the server can do it."""

    address: Address
    options: RecipientOptions = NO_RECIPIENT_OPTIONS


@dataclass(frozen=True, slots=True)
class Message:
    """
    What is to be sent, and what is asked for it where the server can do it.

    `size` is in octets as stored. `body_type` tells what the content is, whatever was declared; `international`, that
    the header is beyond ASCII and was meant to be.
    """

    sender: Address | None
    recipients: Sequence[Addressed]
    size: int
    body_type: BodyType = BodyType.SEVEN_BIT
    international: bool = False
    options: MailOptions = NO_MAIL_OPTIONS
