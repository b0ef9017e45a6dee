"""
Where content waits until it is complete: in memory while it is small, staged with the store beyond that.

Bounded: INLINE_BODY_OCTETS of memory, or one piece on its way to the store; and all messages together by `Room`.
What the header means is for `sink`.
"""

from __future__ import annotations

from twisted.internet.defer import Deferred

from ..interfaces.deferred import returns_deferred
from ..interfaces.store import IAcceptance, IBodyWriter
from ..mail.columns import INLINE_BODY_OCTETS
from ..mail.transaction import Body

PIECE_OCTETS = 64 * 1024


class Room:
    """
    Memory that all messages under way share. Beyond `limit_octets`, no message keeps more than a piece in memory:
    a thousand clients that send slowly hold what they hold on disk.
    """

    __slots__ = ("held_octets", "limit_octets")

    def __init__(self, limit_octets: int) -> None:
        self.limit_octets = limit_octets
        self.held_octets = 0


class Spool:
    """
    One message's content.

    The lines that go in front are not known before the header is: `content` is what came, until `stage` is called
    with them. From then on pieces go to the store.
    """

    __slots__ = ("_counted", "_eight_bit", "_header_size", "_room", "_size", "_store", "_writer", "content")

    def __init__(self, store: IAcceptance, room: Room) -> None:
        self.content = bytearray()
        self._store = store
        self._room = room
        self._counted = 0
        self._writer: IBodyWriter | None = None
        self._eight_bit = False
        self._header_size = 0
        self._size = 0

    @property
    def is_staged(self) -> bool:
        """Whether pieces go to the store."""
        return self._writer is not None

    @property
    def is_full(self) -> bool:
        """More than may rest in memory is here: to be staged."""
        return self._writer is None and len(self.content) > INLINE_BODY_OCTETS

    @property
    def is_cramped(self) -> bool:
        """More than a piece is here, and no room in memory: better staged."""
        room = self._room
        return self._writer is None and room.held_octets > room.limit_octets and len(self.content) > PIECE_OCTETS

    def add(self, data: bytes) -> None:
        """Take content."""
        self.content += data
        if self._writer is None:
            self._counted += len(data)
            self._room.held_octets += len(data)

    def inline(self, in_front: bytes, header_size: int, envelope: bytes | None) -> Body:
        """The small message as a body. `header_size` counts what goes in front."""
        content = in_front + self.content
        self.content.clear()
        self._make_room()
        return Body(len(content), header_size, content, None, not content.isascii(), envelope)

    def stage(self, in_front: bytes, header_size: int) -> Deferred[None]:
        """Begin to stage. `header_size` counts what goes in front. Fires, or fails, as IBodyWriter.write."""
        self._make_room()
        self._writer = self._store.stage_body()
        self._header_size = header_size
        self.content[:0] = in_front
        return self._write_piece(self._writer)

    def go_on(self) -> Deferred[None] | None:
        """Give the store a piece if one has gathered."""
        if self._writer is not None and len(self.content) >= PIECE_OCTETS:
            return self._write_piece(self._writer)
        return None

    @returns_deferred
    async def finish(self) -> Body:
        """The staged message as a body. Fails as the store does."""
        assert self._writer is not None
        if self.content:
            await self._write_piece(self._writer)
        return await self._writer.finish(self._header_size, self._eight_bit)

    def abort(self) -> None:
        """Forget it all."""
        self.content = bytearray()
        self._make_room()
        if self._writer is not None:
            self._writer.abort()

    def _make_room(self) -> None:
        self._room.held_octets -= self._counted
        self._counted = 0

    def _write_piece(self, writer: IBodyWriter) -> Deferred[None]:
        piece = bytes(self.content)
        self.content.clear()
        self._eight_bit = self._eight_bit or not piece.isascii()
        return writer.write(piece)
