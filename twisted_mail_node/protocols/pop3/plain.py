"""
Which messages at hand can be sent as they are: nearly all, so that it has to be found out at once.

Neighbour: `wire.mime.surrogate`, which makes of the others what can be sent.
"""

from __future__ import annotations

from io import IncrementalNewlineDecoder

_CRLF_ALONE = (None, "\r\n")


def is_plain(message: bytes, ascii_headers: bool) -> bool:
    """Whether a message (or header block) needs no surrogate. Errs on the side of no."""
    if b"\0" in message:
        return False
    try:
        text = message.decode("ascii" if ascii_headers else "latin-1")
    except UnicodeDecodeError:
        return False
    # It remembers which line ends it has seen; to count CR, LF and CRLF takes twice as long.
    line_ends = IncrementalNewlineDecoder(None, False)
    line_ends.decode(text, True)
    return line_ends.newlines in _CRLF_ALONE
