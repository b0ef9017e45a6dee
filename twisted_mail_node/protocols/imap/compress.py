"""COMPRESS. Source: RFC 4978 §3."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...wire.imap import response_codes as codes
from ...wire.imap.commands import Compress
from ...wire.imap.compression import Deflater
from ...wire.imap.responses import bad, no

if TYPE_CHECKING:
    from .session import IMAPSession


async def answer(session: IMAPSession, command: Compress) -> bytes | None:
    """Answer COMPRESS: everything behind the OK is compressed, both ways."""
    if not session.settings.compress or command.mechanism != "DEFLATE":
        return await session.finish(bad("no such compression here"))
    if session.engine.is_compressed:
        return await session.finish(no("compressed already", codes.COMPRESSION_ACTIVE))
    # No news before it: they would be the last that is not compressed, and can as well be the first that is.
    session.driver.write(session.engine.start_compressing())
    session.deflater = deflater = Deflater()
    session.driver.encode(deflater.deflated)
    return None
