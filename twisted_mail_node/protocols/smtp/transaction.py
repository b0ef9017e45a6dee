"""The mail under way in a session: sender, recipients so far, and the sink of its content."""

from __future__ import annotations

from ...interfaces.intake import IMessageSink
from ...mail.address import Address
from ...mail.envelope import Client, Envelope, Recipient
from ...wire.smtp.commands import Mail


class MailTransaction:
    """From an accepted MAIL to the answer at the end of content, or to RSET. Source: RFC 5321 §3.3."""

    __slots__ = ("_mail", "recipients", "sink")

    def __init__(self, mail: Mail) -> None:
        self._mail = mail
        self.recipients: list[Recipient] = []
        self.sink: IMessageSink | None = None

    @property
    def sender(self) -> Address | None:
        """None is the null reverse-path."""
        return self._mail.sender

    def envelope(self, client: Client) -> Envelope:
        """The envelope, complete."""
        mail = self._mail
        return Envelope(client, mail.sender, tuple(self.recipients), mail.body_type, mail.size, mail.parameters)

    def abort(self) -> None:
        """Forget content that has come."""
        if self.sink is not None:
            self.sink.abort()
            self.sink = None
