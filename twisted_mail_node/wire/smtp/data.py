"""
The content of a message between DATA and its end: dots taken off, the end found, lone CR and LF noticed.

Works on whole chunks. The end is CRLF.CRLF and nothing else, since two readings of where a message ends let one
message hide another. Source: RFC 5321 §4.1.1.4, §4.5.2 (transparency), §2.3.8 (CR and LF only together).
"""

from __future__ import annotations

import re

_END = b"\r\n.\r\n"
# What may be the beginning of _END at the end of a chunk, longest first.
_BEGINNINGS = (b"\r\n.\r", b"\r\n.", b"\r\n", b"\r")
_ANY_NEWLINE = re.compile(rb"\r\n|\r|\n")


class DataReader:
    """
    Reads one message.

    Attributes:
        ended: the end has been found.
        rest: what came behind the end; it belongs to the next command.
        bare_newlines: a CR or LF without the other has been seen.
        nul: a NUL octet has been seen.
        size_octets: content given so far, dots taken off.
    """

    __slots__ = ("_held", "_normalise", "_started", "bare_newlines", "ended", "nul", "rest", "size_octets")

    def __init__(self, *, normalise: bool = False) -> None:
        """With `normalise`, a lone CR or LF becomes CRLF in what is given; it is noticed all the same."""
        self._normalise = normalise
        # The line before the content ended with CRLF: a dot at the very beginning is at the beginning of a line.
        self._held = b"\r\n"
        self._started = False
        self.bare_newlines = False
        self.nul = False
        self.ended = False
        self.rest = b""
        self.size_octets = 0

    def receive(self, data: bytes) -> bytes:
        """
        Take what was received. Not to be called once `ended`.

        Returns: content, perhaps none. A CRLF is never cut in two. At most four octets are held back.
        """
        data = self._held + data
        end = data.find(_END)
        if end >= 0:
            self.ended = True
            self.rest = data[end + 5 :]
            content = data[: end + 2]
        else:
            held = 0
            for beginning in _BEGINNINGS:
                if data.endswith(beginning):
                    held = len(beginning)
                    break
            content = data[:-held] if held else data
            self._held = data[-held:] if held else b""
            if not content:
                return b""
        if b"\0" in content:
            self.nul = True
        is_bare = has_bare_newline(content)
        content = content.replace(b"\r\n.", b"\r\n")
        if not self._started:
            self._started = True
            content = content[2:]
        if is_bare:
            self.bare_newlines = True
            if self._normalise:
                content = with_crlf(content)
        self.size_octets += len(content)
        return content


def has_bare_newline(content: bytes) -> bool:
    """Whether a CR or an LF stands without the other in the content, which is not empty and not cut between the two."""
    # Lines as CRLF, CR and LF end them, against the CRs and the LFs: equal only where each has the other. Much faster
    # than to count the pairs.
    newlines = len(content.splitlines()) - (content[-1] not in b"\r\n")
    return newlines != content.count(b"\n") or newlines != content.count(b"\r")


def with_crlf(content: bytes) -> bytes:
    """The content with CRLF in place of each CR or LF alone."""
    return _ANY_NEWLINE.sub(b"\r\n", content)
