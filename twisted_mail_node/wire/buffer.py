"""
The input buffer of every engine: lines ended by CRLF, and runs of octets.

It decides where a line ends and how long one may be, nothing else. The search for the end of a line remembers
how far it looked, so input that comes octet by octet costs linear time.
"""

from __future__ import annotations

from .errors import LineTooLong

# Consumed octets are cut off the front only when this many have gathered: cutting costs a copy of the rest.
_COMPACT_OCTETS = 64 * 1024


class LineBuffer:
    """
    Octets received and not yet taken.

    `limit_octets` is the longest line that `take_line` gives, CRLF included; engines name its source.
    `skipped_octets` counts what was thrown away of a line that is too long and has not ended yet, else 0: by it an
    engine can lose its patience.
    """

    __slots__ = ("_data", "_searched", "_skipping", "_start", "limit_octets", "skipped_octets")

    def __init__(self, limit_octets: int) -> None:
        self.limit_octets = limit_octets
        self.skipped_octets = 0
        self._data = bytearray()
        self._start = 0
        self._searched = 0
        self._skipping = False

    def __len__(self) -> int:
        return len(self._data) - self._start

    def feed(self, data: bytes) -> None:
        """Add what was received."""
        self._data += data

    def take_line(self) -> bytes | None:
        """
        Take one line, without its CRLF; None until it is complete.

        Raises: LineTooLong: the line exceeds the limit. It is skipped up to its CRLF, once and for all: the
            exception comes when the end of the line has been found, so the next call gives the next line. No
            more than the limit is kept of it meanwhile.
        """
        if not self._data:
            return None  # as behind nearly every line of a peer that waits for its answer
        end = self._data.find(b"\r\n", max(self._searched, self._start))
        if end < 0:
            # The last octet may be the CR of a CRLF that is not there yet.
            self._searched = max(len(self._data) - 1, self._start)
            if len(self) > self.limit_octets:
                self._skipping = True
            if self._skipping:
                self.skipped_octets += self._searched - self._start
                self._drop(self._searched)
            return None
        line = bytes(self._data[self._start : end])
        too_long = self._skipping or end + 2 - self._start > self.limit_octets
        self._drop(end + 2)
        if too_long:
            self._skipping = False
            self.skipped_octets = 0
            raise LineTooLong("line too long")
        return line

    def take_up_to(self, count: int) -> bytes:
        """Take what is there, at most `count` octets; b"" when nothing is there."""
        end = min(self._start + count, len(self._data))
        taken = bytes(self._data[self._start : end])
        self._drop(end)
        return taken

    def unread(self, data: bytes) -> None:
        """Put octets back in front of what is waiting."""
        self._data[: self._start] = data
        self._start = 0
        self._searched = 0

    def clear(self) -> int:
        """Forget what is waiting (RFC 3207 §4.2: at STARTTLS). Returns how many octets that were."""
        count = len(self)
        self._data.clear()
        self._start = self._searched = 0
        self._skipping = False
        self.skipped_octets = 0
        return count

    def _drop(self, end: int) -> None:
        self._start = self._searched = end
        if end == len(self._data):
            self._data.clear()
            self._start = self._searched = 0
        elif end > _COMPACT_OCTETS:
            del self._data[:end]
            self._start = self._searched = 0
