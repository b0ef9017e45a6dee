"""
Where content waits until it is complete: in memory while it is small, staged with the store beyond that.

Bounded: INLINE_BODY_OCTETS of memory, or one piece on its way to the store. What the header means is for `sink`.
"""

from __future__ import annotations

from twisted.internet.defer import Deferred

from ..interfaces.deferred import returns_deferred
from ..interfaces.store import IBodyWriter, IMailStore
from ..mail.columns import INLINE_BODY_OCTETS
from ..mail.transaction import Body

PIECE_OCTETS = 64 * 1024


class Spool:
    """
    One message's content.

    The lines that go in front are not known before the header is: `content` is what came, until `stage` is called
    with them. From then on pieces go to the store.
    """

    __slots__ = ("_eight_bit", "_header_size", "_size", "_store", "_writer", "content")

    def __init__(self, store: IMailStore) -> None:
        self.content = bytearray()
        self._store = store
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

    def inline(self, in_front: bytes, header_size: int) -> Body:
        """The small message as a body. `header_size` counts what goes in front."""
        content = in_front + self.content
        self.content.clear()
        return Body(len(content), header_size, content, None, not content.isascii())

    def stage(self, in_front: bytes, header_size: int) -> Deferred[None]:
        """Begin to stage. `header_size` counts what goes in front. Fires, or fails, as IBodyWriter.write."""
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
        if self._writer is not None:
            self._writer.abort()

    def _write_piece(self, writer: IBodyWriter) -> Deferred[None]:
        piece = bytes(self.content)
        self.content.clear()
        self._eight_bit = self._eight_bit or not piece.isascii()
        return writer.write(piece)
