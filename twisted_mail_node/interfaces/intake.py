"""
The door through which a message comes in: from an SMTP or LMTP session, or from the queue's bounces.

Neighbours: `policy` has accepted sender and recipients; `intake` adds the trace, spools, and commits.
"""

from __future__ import annotations

from collections.abc import Sequence

from twisted.internet.defer import Deferred
from zope.interface import Attribute, Interface

from ..mail.authors import Authors
from ..mail.envelope import Envelope
from ..mail.status import Reply


class IMessageSink(Interface):
    """Takes the content of one message, chunk by chunk, dots already unstuffed, lines ended by CRLF."""

    id = Attribute("What the message is called in trace, queue and log: text, unique.")

    def write(data: bytes) -> Deferred[None] | None:
        """
        Take a chunk. A Deferred asks the caller to stop reading until it fires.

        After a refusal (too large, disk full) further chunks are swallowed; `finish` tells.
        """

    def authors() -> Authors:
        """Who the header says the message is from. To be asked at the end of the content, before `finish`."""

    def finish() -> Deferred[Sequence[Reply]]:
        """
        End of data: commit, and fire with the replies.

        SMTP: one reply, positive only when every recipient's copy is durable. LMTP: one per recipient, in
        order (RFC 2033 §4.2). Never fails: what goes wrong is a 4xx reply, and is logged.
        """

    def abort() -> None:
        """The peer has gone before the end: forget all of it."""


class IIntake(Interface):
    """Where messages begin."""

    def begin(envelope: Envelope) -> IMessageSink:
        """A sink for the message of this envelope."""
