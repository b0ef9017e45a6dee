"""
The content of a message as it goes out: after DATA with dots doubled and an end, after BDAT in chunks with their size.

The counterpart of `data`. Whatever is given, what goes out as text has CR and LF together only: so no server can read
another end of the content in it than the one that is meant, nor hand on what a third one would read so.

Sources: RFC 5321 §2.3.8, §4.5.2 (transparency), RFC 3030 §2 (BDAT).
"""

from __future__ import annotations

from .data import has_bare_newline, with_crlf


class _Lines:
    """Content that may be cut anywhere, as lines ended by CRLF; a lone CR or LF becomes one."""

    __slots__ = ("_held",)

    def __init__(self) -> None:
        self._held = b""

    def take(self, data: bytes, *, last: bool) -> bytes:
        """What can be written by now: a CR at the end waits for what follows."""
        if self._held:
            data = self._held + data
        if not last and data.endswith(b"\r"):
            self._held = b"\r"
            data = data[:-1]
        else:
            self._held = b""
        return with_crlf(data) if data and has_bare_newline(data) else data


class DottedWriter:
    """Content after DATA."""

    __slots__ = ("_at_line_start", "_lines", "octets")

    def __init__(self) -> None:
        self._lines = _Lines()
        self._at_line_start = True
        self.octets = 0
        """Content written so far, without the dots."""

    def write(self, data: bytes, *, last: bool) -> bytes:
        """A piece as it is to be written; with `last`, its end as well. A last line without its end gets one."""
        content = self._lines.take(data, last=last)
        self.octets += len(content)
        written = content.replace(b"\r\n.", b"\r\n..")  # RFC 5321 §4.5.2
        if content:
            if self._at_line_start and content[:1] == b".":
                written = b"." + written
            self._at_line_start = content.endswith(b"\r\n")
        if last:
            written += b".\r\n" if self._at_line_start else b"\r\n.\r\n"
        return written


class ChunkWriter:
    """Content by BDAT. Binary content goes as it is (RFC 3030 §3)."""

    __slots__ = ("_lines", "octets")

    def __init__(self, *, binary: bool) -> None:
        self._lines = None if binary else _Lines()
        self.octets = 0
        """Content written so far."""

    def write(self, data: bytes, *, last: bool) -> bytes:
        """A chunk with its command in front; b"" where nothing is to be written yet."""
        content = data if self._lines is None else self._lines.take(data, last=last)
        if not content and not last:
            return b""
        self.octets += len(content)
        return b"BDAT %d%s\r\n%s" % (len(content), b" LAST" if last else b"", content)
