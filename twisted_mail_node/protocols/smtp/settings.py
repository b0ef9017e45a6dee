"""What a listener for SMTP, submission or LMTP may be told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ...mail.envelope import Service


@dataclass(frozen=True, slots=True, kw_only=True)
class SMTPSettings:
    """
    Settings of one listener.

    Attributes:
        hostname: this node's name, in the greeting and the answer to EHLO.
        service: SMTP, SUBMISSION or LMTP.
        auth: "off": AUTH is not offered; "required": no MAIL before it (RFC 4954 §6).
        max_message_size: octets, told in SIZE and held at MAIL; the intake holds it while receiving.
        max_recipients: in one transaction; RFC 5321 §4.5.3.1.8 wants at least 100.
        max_errors: mistakes, failed logins and refused senders, since the last accepted message, before the connection
            is closed.
        max_refused_recipients: the same for recipients refused for good, so that nobody tries a dictionary of names;
            LMTP, whose clients are our own, is exempt.
        bare_newlines: what is done with a CR or LF alone in content: refuse the message, or make it CRLF.
        command_timeout_seconds: RFC 5321 §4.5.3.2.7 wants at least 300.
        content_timeout_seconds: the longest silence between DATA and its end.
    """

    hostname: str
    service: Service = Service.SMTP
    auth: Literal["off", "optional", "required"] = "off"
    max_message_size: int = 50 * 1024 * 1024
    max_recipients: int = 1000
    max_errors: int = 20
    max_refused_recipients: int = 100
    bare_newlines: Literal["refuse", "normalise"] = "refuse"
    command_timeout_seconds: float = 300.0
    content_timeout_seconds: float = 300.0

    def __post_init__(self) -> None:
        if self.service not in (Service.SMTP, Service.SUBMISSION, Service.LMTP):
            raise ValueError(f"SMTP is not spoken for the service {self.service.value}")
