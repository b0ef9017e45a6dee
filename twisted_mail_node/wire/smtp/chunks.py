"""
The content of a message that comes in chunks: so many octets, and no end to be looked for. Source: RFC 3030 §2.

Neighbours: `data` reads what comes behind DATA.
"""

from __future__ import annotations

from .data import has_bare_newline, with_crlf


class ChunkReader:
    """
    Reads the chunks of one message.

    Attributes:
        left_octets: of the present chunk, still to come.
        is_last: the present chunk is the last.
        bare_newlines: a CR or LF without the other has been seen.
        nul: a NUL octet has been seen.
        size_octets: content given so far.
    """

    __slots__ = (
        "_binary",
        "_held",
        "_is_finished",
        "_normalise",
        "_tail",
        "bare_newlines",
        "is_last",
        "left_octets",
        "nul",
        "size_octets",
    )

    def __init__(self, *, binary: bool = False, normalise: bool = False) -> None:
        """
        Args:
            binary: any octet may stand anywhere (RFC 3030 §3), and all are given as they came.
            normalise: a lone CR or LF becomes CRLF in what is given; it is noticed all the same.
        """
        self._binary = binary
        self._normalise = normalise
        # A CR at the end of a piece, which the next may complete.
        self._held = b""
        self._tail = b"\r\n"
        self._is_finished = False
        self.left_octets = 0
        self.is_last = False
        self.bare_newlines = False
        self.nul = False
        self.size_octets = 0

    def begin(self, size_octets: int, is_last: bool) -> None:
        """A chunk begins."""
        self.left_octets = size_octets
        self.is_last = is_last

    def receive(self, data: bytes) -> bytes:
        """Take octets of the present chunk, no more than are left of it. Returns: content, perhaps none."""
        self.left_octets -= len(data)
        if self._binary:
            return self._given(data)
        data = self._held + data
        self._held = b""
        if data.endswith(b"\r"):
            data, self._held = data[:-1], b"\r"
        return self._given(self._checked(data))

    def finish(self) -> bytes:
        """
        What is to be given after the last chunk, perhaps nothing: a line is ended that was not.

        Lines of stored mail end, however they came; binary content is as it is.
        """
        if self._is_finished or self._binary:
            return b""
        self._is_finished = True
        rest = self._checked(self._held)
        self._held = b""
        tail = (self._tail + rest)[-2:]
        return self._given(rest if tail == b"\r\n" else rest + b"\r\n")

    def _checked(self, content: bytes) -> bytes:
        if not content:
            return b""
        if b"\0" in content:
            self.nul = True
        if has_bare_newline(content):
            self.bare_newlines = True
            if self._normalise:
                return with_crlf(content)
        return content

    def _given(self, content: bytes) -> bytes:
        self.size_octets += len(content)
        self._tail = (self._tail + content[-2:])[-2:]
        return content
