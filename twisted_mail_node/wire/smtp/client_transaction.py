"""
One message under way at the client: its commands in their order, and what each recipient's result is.

It decides what an answer means for the recipients. Neighbours: `client` sends the commands and takes the answers,
`client_commands` writes them, `content_writer` the content.

Sources: RFC 5321 §3.3, §4.5.3.1.10 (too many recipients), RFC 3030 §2 (BDAT in place of DATA).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import replace

from ...mail.envelope import BodyType
from ...mail.status import EnhancedStatus, Reply
from .client_commands import asks_smtputf8, mail_command, obstacle, rcpt_command, recipient_obstacle
from .client_events import Message, OwnWords, Step
from .content_writer import ChunkWriter, DottedWriter

_BAD_DIALOGUE = EnhancedStatus(4, 5, 0)
_TOO_MANY = EnhancedStatus(5, 5, 3)

Command = tuple[Step, int, bytes]
"""What is waited for after it, for which recipient, and the line."""


class ClientTransaction:
    """
    A message and what has come of it so far.

    Attributes: `unsent`, the commands that have not gone out; `in_chunks`, the content goes by BDAT; `content_sent`,
        the end of the content has gone out; `was_begun`, content has.
    """

    __slots__ = (
        "_accepted",
        "_mail_accepted",
        "_results",
        "_writer",
        "content_sent",
        "in_chunks",
        "unsent",
        "was_begun",
    )

    def __init__(self, message: Message, extensions: Mapping[str, str]) -> None:
        """Raises: MisuseError: an address cannot be written, whatever the server offers."""
        self._results: list[Reply | None] = [None] * len(message.recipients)
        self._mail_accepted = False
        self._accepted = 0
        self.in_chunks = "CHUNKING" in extensions
        self.content_sent = self.was_begun = False
        self._writer = (
            ChunkWriter(binary=message.body_type is BodyType.BINARY_MIME) if self.in_chunks else DottedWriter()
        )
        self.unsent: deque[Command] = deque()
        hindered = obstacle(message, extensions)
        if hindered is not None:
            self.decide(hindered)
        else:
            self._write_commands(message, extensions)

    @property
    def is_wanted(self) -> bool:
        """Content is to be sent: sender and somebody are accepted, and nothing has failed since."""
        return self._mail_accepted and self._accepted > 0 and None in self._results

    @property
    def results(self) -> tuple[Reply, ...]:
        """Each recipient's, once all are decided."""
        return tuple(result for result in self._results if result is not None)

    def decide(self, reply: Reply) -> None:
        """The reply is the result of every recipient that has none yet."""
        self._results = [result or reply for result in self._results]

    # -- content

    def write(self, data: bytes, *, last: bool) -> bytes:
        """A piece of content as it is to be written."""
        self.was_begun = True
        self.content_sent = last
        return self._writer.write(data, last=last)

    @property
    def content_octets(self) -> int:
        """How much content was written."""
        return self._writer.octets

    # -- answers

    def mail_answered(self, reply: Reply) -> None:
        """The answer to MAIL."""
        if reply.code // 100 == 2:
            self._mail_accepted = True
            return
        self.decide(negative(reply))
        self.unsent.clear()

    def recipient_answered(self, reply: Reply, index: int) -> None:
        """The answer to RCPT for the recipient of this index."""
        if self._results[index] is not None:
            return
        if reply.code // 100 == 2:
            self._accepted += 1
        elif reply.code == 552 and self._accepted and reply.status in (None, _TOO_MANY):
            # RFC 5321 §4.5.3.1.10: older servers mean by this that those before were enough for one transaction.
            self._results[index] = replace(reply, code=452, status=None)
        else:
            self._results[index] = negative(reply)
        if not self._accepted and len(self.unsent) == 1 and self.unsent[0][0] is Step.DATA:
            self.unsent.clear()  # nobody to send it for

    def content_answered(self, reply: Reply) -> None:
        """The answer to the end of the content, or to a chunk that was not taken."""
        self.decide(reply if reply.code // 100 == 2 else negative(reply))

    # -- inside

    def _write_commands(self, message: Message, extensions: Mapping[str, str]) -> None:
        utf8 = asks_smtputf8(message, extensions)
        mail = mail_command(message, extensions, utf8=utf8)
        for index, recipient in enumerate(message.recipients):
            hindered = recipient_obstacle(recipient, extensions)
            if hindered is not None:
                self._results[index] = hindered
            else:
                self.unsent.append((Step.RECIPIENT, index, rcpt_command(recipient, extensions, utf8=utf8)))
        if self.unsent:
            self.unsent.appendleft((Step.MAIL, 0, mail))
            if not self.in_chunks:
                self.unsent.append((Step.DATA, 0, b"DATA"))


def negative(reply: Reply) -> Reply:
    """The reply as a refusal; a positive one in a place where it makes no sense is a temporary failure."""
    if reply.code >= 400:
        return reply
    return OwnWords(451, (f"the server answered out of place: {reply}",), _BAD_DIALOGUE)
