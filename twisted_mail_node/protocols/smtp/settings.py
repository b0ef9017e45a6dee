"""What a listener for SMTP, submission or LMTP may be told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from ...mail.envelope import Service
from ...wire.smtp.offer import Extension

EXTENSIONS = frozenset({Extension.SMTPUTF8, Extension.CHUNKING, Extension.BINARY_MIME, Extension.DSN})
"""What is offered unless told otherwise: all that works from one end to the other."""


def _nobody(host: str) -> bool:
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class SMTPSettings:
    """
    Settings of one listener.

    Attributes:
        hostname: this node's name, in the greeting and the answer to EHLO.
        service: SMTP, SUBMISSION or LMTP.
        auth: "off": AUTH is not offered; "required": no MAIL before it (RFC 4954 §6).
        own_from: whether who has logged in may write as each address of From and Sender.
        max_message_size: octets, told in SIZE and held at MAIL; the intake holds it while receiving.
        max_recipients: in one transaction; RFC 5321 §4.5.3.1.8 wants at least 100.
        max_messages: transactions in one connection.
        max_commands: since the last accepted message, of any kind but large chunks.
        max_idle_commands: the same for those that bring no message nearer: NOOP, RSET, VRFY, EXPN, HELP, one more EHLO.
        max_recipient_domains: in one transaction; 0 for any number (RFC 9422 §4.3).
        extensions: those that are a matter of choice.
        expand: whom EHLO tells that EXPN is answered; that it is so is for policy.
        max_hold_seconds: for how long a message may be held by FUTURERELEASE, which submission alone has.
        max_errors: mistakes, failed logins and refused senders, since the last accepted message, before the connection
            is closed.
        errors_before_delay: so many of these are answered at once.
        error_delay_seconds: how much longer than the one before each further one waits for its answer.
        max_refused_recipients: the same for recipients refused for good, so that nobody tries a dictionary of names;
            LMTP, whose clients are our own, is exempt.
        greeting_delay_seconds: how long the greeting is held back; who speaks meanwhile is refused.
        trusted: whether the client at an address has no delays, and as many commands and messages as it likes.
        trusted_for_xclient: whether the client at an address may put another in its place by XCLIENT.
        trusted_for_xforward: whether it may tell by XFORWARD whom it has its messages from.
        bare_newlines: what is done with a CR or LF alone in content: refuse the message, or make it CRLF.
        hello_timeout_seconds: from the connection to an accepted HELO or EHLO.
        command_timeout_seconds: until the next command is complete; RFC 5321 §4.5.3.2.7 wants at least 300.
        content_timeout_seconds: the longest silence between DATA and its end.
        min_content_rate: octets a second that content has to come in, counted from `content_timeout_seconds` after its
            beginning; 0 for any.
    """

    hostname: str
    service: Service = Service.SMTP
    auth: Literal["off", "optional", "required"] = "off"
    own_from: bool = True
    max_message_size: int = 50 * 1024 * 1024
    max_recipients: int = 1000
    max_messages: int = 1000
    max_commands: int = 10_000
    max_idle_commands: int = 100
    max_recipient_domains: int = 0
    extensions: frozenset[Extension] = EXTENSIONS
    expand: Literal["nobody", "accounts", "everyone"] = "nobody"
    max_hold_seconds: int = 7 * 24 * 3600
    max_errors: int = 20
    errors_before_delay: int = 10
    error_delay_seconds: float = 1.0
    max_refused_recipients: int = 100
    greeting_delay_seconds: float = 0.0
    trusted: Callable[[str], bool] = _nobody
    trusted_for_xclient: Callable[[str], bool] = _nobody
    trusted_for_xforward: Callable[[str], bool] = _nobody
    bare_newlines: Literal["refuse", "normalise"] = "refuse"
    hello_timeout_seconds: float = 300.0
    command_timeout_seconds: float = 300.0
    content_timeout_seconds: float = 300.0
    min_content_rate: int = 500

    def __post_init__(self) -> None:
        if self.service not in (Service.SMTP, Service.SUBMISSION, Service.LMTP):
            raise ValueError(f"SMTP is not spoken for the service {self.service.value}")
