"""
The octets of a message in a file, as they are sent: with CRLF line ends.

Our own files have them so. Those of other programs mostly have bare LF; where a file is as long as the index says, it
is taken as it is, so that whatever we were given comes back octet by octet.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator
from typing import IO

from .opening import open_descriptor

_PIECE_OCTETS = 256 * 1024
_BARE_LF = re.compile(rb"(?<!\r)\n")
_HEADER_PIECE_OCTETS = 16 * 1024
AT_ONCE_OCTETS = 1024 * 1024
"""A file up to this size is turned in memory, a larger one into a temporary file."""


def measured(path: bytes) -> int:
    """How long the file is with CRLF line ends. Reads all of it, in pieces."""
    with open(open_descriptor(path), "rb", buffering=0) as file:
        return sum(map(len, _turned(file)))


def read_whole(descriptor: int, size: int) -> bytes:
    """The message that the index says has `size` octets."""
    stored = os.fstat(descriptor).st_size
    content = _read(descriptor, stored)
    return content if stored == size else _BARE_LF.sub(b"\r\n", content)


def read_header(descriptor: int, size: int, header_size: int | None) -> bytes:
    """Its header block with the empty line, whose length may be known."""
    if header_size is not None:
        return os.pread(descriptor, header_size, 0)
    as_it_is = os.fstat(descriptor).st_size == size
    octets = _HEADER_PIECE_OCTETS
    while True:
        start = os.pread(descriptor, octets, 0)
        is_all = len(start) < octets
        if not as_it_is:
            # A CR at the very end may belong to an LF that comes.
            start = _BARE_LF.sub(b"\r\n", start if is_all else start.removesuffix(b"\r"))
        if start.startswith(b"\r\n"):
            return b"\r\n"
        end = start.find(b"\r\n\r\n")
        if end >= 0:
            return start[: end + 4]
        if is_all:
            return start
        octets *= 4


def turned_file(descriptor: int, size: int, folder: bytes) -> int:
    """
    A descriptor of the message as it is sent; the one given is closed where it is another.

    A large file of another program is turned into one without a name in `folder`.
    """
    if os.fstat(descriptor).st_size == size:
        return descriptor
    target = tempfile.TemporaryFile(dir=os.fsdecode(folder))  # noqa: SIM115  the descriptor outlives it
    with target, open(descriptor, "rb", buffering=0) as source:
        for piece in _turned(source):
            target.write(piece)
        target.flush()
        return os.dup(target.fileno())


def _read(descriptor: int, octets: int) -> bytes:
    parts, at = list[bytes](), 0
    while at < octets and (part := os.pread(descriptor, octets - at, at)):
        parts.append(part)
        at += len(part)
    return b"".join(parts)


def _turned(file: IO[bytes]) -> Iterator[bytes]:
    last = b""
    while piece := file.read(_PIECE_OCTETS):
        # The octet before is looked at with each piece.
        yield _BARE_LF.sub(b"\r\n", last + piece)[len(last) :]
        last = piece[-1:]
