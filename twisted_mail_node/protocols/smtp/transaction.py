"""The mail under way in a session: sender, recipients so far, and the sink of its content."""

from __future__ import annotations

from ...interfaces.intake import IMessageSink
from ...mail.address import Address
from ...mail.envelope import Client, Envelope, Recipient
from ...mail.status import Reply
from ...wire.smtp.commands import Mail

# So many refusals are kept for the log; a session ends long before a client has collected more of them by guessing.
_KEPT_REFUSALS = 100


class MailTransaction:
    """
    From an accepted MAIL to the answer at the end of content, or to RSET. Source: RFC 5321 §3.3.

    Attributes:
        mail: what MAIL said, its options in times of the clock.
        began: when, by the session's clock.
        recipients: those accepted.
        refusals: recipients that were not, with the replies; `refusal_count` counts those not kept as well.
        sink: takes the content while it comes.
        queue_id: what the intake calls the message, from DATA on.
        content_began: when the content began, the time left out in which the sink was waited for.
        size: octets of content that have come.
        chunk_octets: of the last chunk, as announced by BDAT.
        chunked_octets: of all of them.
        refusal: the answer to a chunk that is read and not kept.
        is_complete: the end of the content has come.
    """

    __slots__ = (
        "began",
        "chunk_octets",
        "chunked_octets",
        "content_began",
        "is_complete",
        "mail",
        "queue_id",
        "recipients",
        "refusal",
        "refusal_count",
        "refusals",
        "sink",
        "size",
    )

    def __init__(self, mail: Mail, began: float) -> None:
        self.mail = mail
        self.began = began
        self.recipients: list[Recipient] = []
        self.refusals: list[tuple[Address, Reply]] = []
        self.refusal_count = 0
        self.sink: IMessageSink | None = None
        self.queue_id = ""
        self.content_began = 0.0
        self.size = 0
        self.is_complete = False
        self.chunk_octets = 0
        self.chunked_octets = 0
        self.refusal: Reply | None = None

    @property
    def sender(self) -> Address | None:
        """None is the null reverse-path."""
        return self.mail.sender

    def envelope(self, client: Client) -> Envelope:
        """The envelope, complete."""
        mail = self.mail
        return Envelope(
            client, mail.sender, tuple(self.recipients), mail.body_type, mail.size, mail.parameters, mail.options
        )

    def refused(self, recipient: Address, reply: Reply) -> None:
        """A recipient was refused."""
        self.refusal_count += 1
        if len(self.refusals) < _KEPT_REFUSALS:
            self.refusals.append((recipient, reply))

    def begin_content(self, sink: IMessageSink, now: float) -> None:
        """The content comes now."""
        self.sink = sink
        self.content_began = now
        self.queue_id = sink.id

    def abort(self) -> None:
        """Forget content that has come."""
        if self.sink is not None:
            self.sink.abort()
            self.sink = None
