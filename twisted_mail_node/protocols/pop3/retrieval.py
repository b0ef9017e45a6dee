"""
RETR and TOP. Messages at hand are answered at once, without a Deferred; large ones stream with backpressure.

What is kept need not be lines of text, nor have a header in ASCII: `wire.mime.surrogate` makes the form that can be
sent. Sources: RFC 1939 §5, §7; RFC 6856 §2.1, §4.
"""

from __future__ import annotations

from ...mail.columns import INLINE_BODY_OCTETS, FetchItem
from ...mail.errors import TemporaryFailure
from ...wire.mime.headers import header_size
from ...wire.mime.surrogate import Surrogate, surrogate_of
from ...wire.pop3 import content
from ...wire.pop3.commands import Retrieve, RetrieveTop
from ...wire.pop3.content import Stuffing, TopCut
from ...wire.pop3.phrases import Phrase
from ...wire.pop3.replies import ResponseCode
from ..driver import Answer
from .maildrop import Maildrop
from .plain import is_plain
from .read_ahead import ReadAhead
from .session_parts import Parts

# Of a message that streams, so much is read at a time.
PIECE_OCTETS = 64 * 1024


class Retrieval:
    """Gives out the messages of one maildrop."""

    __slots__ = ("_ascii_headers", "_bodies", "_headers", "_maildrop", "_parts")

    def __init__(self, parts: Parts, maildrop: Maildrop) -> None:
        self._parts = parts
        self._maildrop = maildrop
        # UTF8 comes before the login, or never.
        self._ascii_headers = not parts.engine.utf8
        self._bodies = ReadAhead(maildrop, FetchItem.BODY)
        self._headers = ReadAhead(maildrop, FetchItem.HEADER)

    def forget(self, number: int) -> None:
        """The message is marked as deleted."""
        self._bodies.forget(number)
        self._headers.forget(number)

    def clear(self) -> None:
        """Keep nothing."""
        self._bodies.clear()
        self._headers.clear()

    def retrieve(self, command: Retrieve) -> Answer:
        """Answer RETR."""
        at_hand = self._bodies.take(command.number)
        if at_hand is not None:
            return self._whole(at_hand)
        if not self._maildrop.has(command.number):
            return self._parts.error(Phrase.NO_SUCH_MESSAGE)
        return self._retrieve_late(command.number)

    def top(self, command: RetrieveTop) -> Answer:
        """Answer TOP."""
        if not self._maildrop.has(command.number):
            return self._parts.error(Phrase.NO_SUCH_MESSAGE)
        if command.lines or self._maildrop.size(command.number) > INLINE_BODY_OCTETS:
            # A large message may be nothing but a header.
            return self._top_late(command.number, command.lines)
        header = self._headers.take(command.number)
        if header is not None:
            return self._top(header, 0)
        return self._header_late(command.number)

    async def _retrieve_late(self, number: int) -> bytes:
        fetched = await self._small(number)
        return await self._stream(number, None) if fetched is None else self._whole(fetched)

    async def _header_late(self, number: int) -> bytes:
        return self._top(await self._headers.fetch(number) or b"", 0)

    async def _top_late(self, number: int, body_lines: int) -> bytes:
        fetched = self._bodies.take(number) or await self._small(number)
        if fetched is None:
            return await self._stream(number, TopCut(body_lines))
        return self._top(fetched, body_lines)

    async def _small(self, number: int) -> bytes | None:
        if self._maildrop.size(number) > INLINE_BODY_OCTETS:
            return None
        return await self._bodies.fetch(number)

    def _whole(self, message: bytes) -> bytes:
        parts = self._parts
        carried = message if is_plain(message, self._ascii_headers) else self._carried(message)
        if carried is None:
            return self._withheld()
        return parts.engine.send(content.message(carried, parts.language.unit))

    def _top(self, message: bytes, body_lines: int) -> bytes:
        parts = self._parts
        carried = message if is_plain(message, self._ascii_headers) else self._carried(message)
        if carried is None:
            return self._withheld()
        # RFC 6858 §4.2: the lines are those of what is sent.
        shown = TopCut(body_lines).feed(carried)
        return parts.engine.send(parts.language.ok(Phrase.TOP_FOLLOWS) + content.stuffed(shown))

    async def _stream(self, number: int, cut: TopCut | None) -> bytes:
        """A large message in pieces, or the part of it that `cut` leaves."""
        parts = self._parts
        if self._may_withhold and self._withholds(await self._headers.fetch(number) or b""):
            return self._withheld()
        opened = await self._maildrop.mailbox.open_body(self._maildrop.uid(number))
        try:
            surrogate, stuffing = Surrogate(ascii_headers=self._ascii_headers), Stuffing()
            # The size of what is kept: that of what is sent is not known yet, and need not be told (RFC 6856 §2.1).
            whole = content.message_follows(opened.size, parts.language.unit)
            parts.first_part(whole if cut is None else parts.language.ok(Phrase.TOP_FOLLOWS))
            offset = 0
            while offset < opened.size and (cut is None or not cut.done):
                piece = await opened.read(offset, PIECE_OCTETS)
                if not piece:
                    raise TemporaryFailure("a message ends before its end")
                offset += len(piece)
                carried = surrogate.feed(piece)
                if offset >= opened.size:
                    carried += surrogate.end()
                parts.driver.write(stuffing.feed(carried if cut is None else cut.feed(carried)))
                await parts.driver.drained()
            return parts.last_part(stuffing.end())
        finally:
            opened.close()

    # -- beyond ASCII -----------------------------------------------------------------------------------------------

    def _carried(self, message: bytes) -> bytes | None:
        """A message that is not plain in the form that can be sent; None where it is withheld."""
        if self._withholds(message[: header_size(message)]):
            return None
        return surrogate_of(message, ascii_headers=self._ascii_headers)

    @property
    def _may_withhold(self) -> bool:
        return self._ascii_headers and self._parts.settings.utf8_headers == "refuse"

    def _withholds(self, header: bytes) -> bool:
        return self._may_withhold and not header.isascii()

    def _withheld(self) -> bytes:
        return self._parts.error(Phrase.NEEDS_UTF8, ResponseCode.UTF8)
