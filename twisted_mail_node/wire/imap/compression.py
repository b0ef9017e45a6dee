"""
COMPRESS=DEFLATE: the two ends of a compressed connection, without any I/O. Source: RFC 4978 §3, §4; RFC 1951.

What is received is inflated a piece at a time, and only as fast as the engine reads: a few octets can stand for very
many. What is written is deflated so that the client can read all of it at once.
"""

from __future__ import annotations

import zlib

# Inflated at once: what fits in a turn many times over.
PIECE_OCTETS = 16 * 1024

# zlib's memory for deflating is 2^(window + 2) + 2^(memory + 9) octets: 64 KiB here, a quarter of what it takes
# unasked, and text comes out 6 % longer. The client chooses its own window, up to 2^15.
_DEFLATING_WINDOW = 13
_DEFLATING_MEMORY = 6
_DEFLATING_LEVEL = 5
_LARGEST_WINDOW = 15
# What zlib writes at the end of a flush, byte for byte: the length of an empty stored block, and its complement.
_END_OF_FLUSH = b"\0\0\xff\xff"
# The last code of a block is 15 bits at most, and what a flush adds 35 with padding.
_MOST_OF_AN_END = 8


class Inflater:
    """What the client sends, compressed; taken as what it meant."""

    def __init__(self) -> None:
        self._stream = zlib.decompressobj(-_LARGEST_WINDOW)
        self._waiting = bytearray()
        self._start = 0
        self._is_within = False
        self._last = b""  # the last octets that were inflated
        self._late = b""  # what came after the last octet that was compressed, and may belong to the end of that

    def feed(self, data: bytes) -> None:
        """Add what was received."""
        del self._waiting[: self._start]
        self._start = 0
        self._waiting += data

    def take(self) -> bytes:
        """
        The next octets, at most PIECE_OCTETS; b"" when none can be had of what was received.

        Never more than up to the next flush of the client, since what follows that may be plain: see `plain`.

        Raises: ValueError: this is not what DEFLATE makes, or something follows its end.
        """
        taken = b""
        while not taken and (self._is_within or self._start < len(self._waiting)):
            found = self._waiting.find(_END_OF_FLUSH, self._start)
            taken = self._inflated(len(self._waiting) if found < 0 else found + len(_END_OF_FLUSH))
        return taken

    def plain(self) -> bytes | None:
        """
        The client has compressed its last octet: what was received behind the end of that. None: still to come.

        The end is that of a flush, whose octets may come late, or of the stream, where the client has ended it. After
        a flush of the sort that has no end to be seen, what comes next is taken for plain as soon as it is no end.
        """
        while not (self._stream.eof or self._last == _END_OF_FLUSH):
            if self._start == len(self._waiting):
                return None
            self._late += self._waiting[self._start : self._start + 1]
            try:
                meant = self._inflated(self._start + 1)
            except ValueError:
                meant = self._late
            if meant or len(self._late) == _MOST_OF_AN_END:
                return self._late + self._waiting[self._start :]
        return bytes(self._waiting[self._start :])

    def _inflated(self, end: int) -> bytes:
        if self._stream.eof:
            raise ValueError("something follows the end of the compressed data")
        piece = bytes(self._waiting[self._start : end])
        self._start = end
        try:
            taken = self._stream.decompress(piece, PIECE_OCTETS)
        except zlib.error:
            raise ValueError("not DEFLATE") from None
        left = len(self._stream.unconsumed_tail) + len(self._stream.unused_data)
        self._start -= left
        self._last = (self._last + piece[: len(piece) - left])[-len(_END_OF_FLUSH) :]
        # Whether the piece was cut where it is: there may be more of it, even where all of the input is used up.
        self._is_within = len(taken) == PIECE_OCTETS and not self._stream.eof
        return taken


class Deflater:
    """What is written, compressed: every piece is complete, so that the client need not wait for the next."""

    def __init__(self) -> None:
        self._stream: zlib._Compress | None = None

    def deflated(self, octets: bytes) -> bytes:
        """Compress a piece."""
        stream = self._stream
        if stream is None:
            self._stream = stream = zlib.compressobj(
                _DEFLATING_LEVEL, zlib.DEFLATED, -_DEFLATING_WINDOW, _DEFLATING_MEMORY
            )
        return stream.compress(octets) + stream.flush(zlib.Z_SYNC_FLUSH)

    def forget(self) -> None:
        """
        Give back the memory of what was written before, which the next piece then cannot refer to.

        Between two pieces no block is open, so the client does not notice.
        """
        self._stream = None
