"""
Messages that come by APPEND: octets are made into a body as they arrive, in memory or staged in the store.

Of one command, HELD_OCTETS at most rest in memory until it is complete, however many messages it has.

Bare LF becomes CRLF. NUL is refused: no IMAP client could ever read it (RFC 3501 §9 CHAR8). So is a header beyond
ASCII, unless the client has enabled UTF-8.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable
from dataclasses import replace

from twisted.internet.interfaces import IReactorTime

from ...interfaces.store import IBodyWriter, IMailStore
from ...mail.columns import INLINE_BODY_OCTETS, InternalDate
from ...mail.errors import MailError
from ...mail.flags import Flags
from ...mail.transaction import Body
from ...wire.imap import response_codes as codes
from ...wire.imap.commands import AppendChunk, AppendMessage
from ...wire.imap.responses import Completion, no
from ...wire.imap.server import IMAPServer
from ...wire.imap.spelling import Spelling
from ...wire.mime.envelope import envelope_of
from ..driver import Answer
from .failures import completion_of

# RFC 9755 §4: a client that has not enabled UTF-8 could not read such a header again.
_NEEDS_UTF8 = no("the header is beyond ASCII, and UTF-8 is not enabled", codes.CANNOT)
# What one APPEND may bring. Our own bound: clients that send several at once (few do) send some dozens.
MESSAGES_TOGETHER = 1000
# Of what it brings, what rests in memory until all has come; beyond that a message is staged, small as it may be.
HELD_OCTETS = 4 * 1024 * 1024
_bare_line_feed = re.compile(rb"(?<!\r)\n")


class IncomingBody:
    """
    One message being received; `feed` it, then `finish`.

    Attributes: `size`, the octets as they will rest; `ascii_header`, whether the header is in ASCII so far.
    Args: room_octets: what may be held in memory; beyond that, the message is staged.
    """

    def __init__(self, store: IMailStore, room_octets: int = INLINE_BODY_OCTETS) -> None:
        self._store = store
        self._room_octets = room_octets
        self._pieces: list[bytes] = []
        self._writer: IBodyWriter | None = None
        self._ends_in_return = False
        self._header_size: int | None = None
        self._tail = b"\n"  # as if a line had ended before: a message may begin with its empty line
        self._envelope: bytes | None = None
        self._eight_bit = False
        self.ascii_header = True
        self.size = 0

    def feed(self, data: bytes) -> Awaitable[None] | None:
        """Take the next octets. What is returned, if anything, is to be awaited before the next."""
        if data.count(b"\n") != data.count(b"\r\n"):
            first = data[:1] if self._ends_in_return and data[:1] == b"\n" else b""
            data = first + _bare_line_feed.sub(b"\r\n", data[len(first) :])
        self._ends_in_return = data.endswith(b"\r")
        self._eight_bit = self._eight_bit or not data.isascii()
        if self._header_size is None:
            window = self._tail + data
            found = window.find(b"\n\r\n")
            if found >= 0:
                self._header_size = self.size - len(self._tail) + found + 3
            self._tail = window[-2:]
            in_header = len(data) if self._header_size is None else self._header_size - self.size
            self.ascii_header = self.ascii_header and data[:in_header].isascii()
        self.size += len(data)
        if self._writer is not None:
            return self._writer.write(data)
        self._pieces.append(data)
        if self.size > self._room_octets:
            content = self._content()
            self._writer = self._store.stage_body()
            return self._writer.write(content)
        return None

    def _content(self) -> bytes:
        """The octets gathered so far, and the ENVELOPE if the header is among them."""
        content = b"".join(self._pieces)
        self._pieces.clear()
        if self._header_size is not None:
            self._envelope = envelope_of(content[: self._header_size])
        return content

    async def finish(self) -> Body:
        """The message has ended. Fails as IBodyWriter.finish."""
        if self._header_size is None:
            self._header_size = self.size
        if self._writer is None:
            content = self._content()
            return Body(self.size, self._header_size, content, None, self._eight_bit, self._envelope)
        body = await self._writer.finish(self._header_size, self._eight_bit)
        return replace(body, envelope=self._envelope)

    def abort(self) -> None:
        """Give it up."""
        self._pieces.clear()
        if self._writer is not None:
            self._writer.abort()


class IncomingMessages:
    """The messages of the APPEND under way: of at most `max_octets` each, dated by `clock` where they have no date."""

    def __init__(self, engine: IMAPServer, store: IMailStore, clock: IReactorTime, max_octets: int) -> None:
        self._engine = engine
        self._store = store
        self._clock = clock
        self._max_octets = max_octets
        self._body: IncomingBody | None = None
        self._done: list[tuple[Body, Flags, InternalDate]] = []
        self._announced: AppendMessage | None = None

    @property
    def is_full(self) -> bool:
        """Whether the command has brought as many messages as it may."""
        return len(self._done) >= MESSAGES_TOGETHER

    def begin(self, message: AppendMessage) -> None:
        """A message was accepted: its octets come next."""
        self._announced = message
        held = sum(len(body.content or b"") for body, _, _ in self._done)
        self._body = IncomingBody(self._store, min(INLINE_BODY_OCTETS, HELD_OCTETS - held))

    def chunk(self, event: AppendChunk) -> Answer:
        """Octets of the message. Gives the refusal when the message cannot be taken after all."""
        body = self._body
        if body is None:
            return None
        if b"\0" in event.data:
            return self._refuse(no("a message may not contain NUL", codes.CANNOT))
        waiting = body.feed(event.data)
        if body.size > self._max_octets:
            return self._refuse(no("the message is too big", codes.TOO_BIG))
        if not body.ascii_header and self._engine.spelling is Spelling.SEVEN_BITS:
            return self._refuse(_NEEDS_UTF8)
        if waiting is None and not event.last:
            return None
        return self._taken(body, waiting, event.last)

    async def _taken(self, body: IncomingBody, waiting: Awaitable[None] | None, last: bool) -> bytes | None:
        try:
            if waiting is not None:
                await waiting
            if last:
                await self._finish(body)
        except MailError as error:
            return self._refuse(completion_of(error))
        return None

    async def _finish(self, body: IncomingBody) -> None:
        announced = self._announced
        if announced is None:
            return
        date = announced.internal_date or InternalDate(int(self._clock.seconds()))
        self._done.append((await body.finish(), announced.flags, date))
        self._body = None

    def _refuse(self, completion: Completion) -> bytes:
        self.abort()
        return self._engine.abandon_message(completion)

    def take(self) -> list[tuple[Body, Flags, InternalDate]]:
        """The messages received, for the store."""
        done, self._done = self._done, []
        self._announced = None
        return done

    def abort(self) -> None:
        """Forget what was received."""
        if self._body is not None:
            self._body.abort()
            self._body = None
        self._done = []
        self._announced = None
