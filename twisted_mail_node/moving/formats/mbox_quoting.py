"""
`From ` at the beginning of a line, as mboxrd hides it: such a line gets ">" in front, and so does one that has some.

Source: the qmail manual mbox(5). What mboxo wrote is read right, but for a line that had its ">" from the beginning.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

_MAX_CARRIED_OCTETS = 1024 * 1024

_quotable = re.compile(rb"\n(>*From )")
_quoted = re.compile(rb"\n>(>*From )")


def quoted(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The pieces of a message with LF line ends, made fit to stand in an mbox."""
    return _replaced(pieces, _quotable, rb"\n>\1")


def unquoted(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The pieces of a message in an mbox, as they were; their line ends may be of any kind."""
    return _replaced(pieces, _quoted, rb"\n\1")


def _replaced(pieces: Iterable[bytes], pattern: re.Pattern[bytes], by: bytes) -> Iterator[bytes]:
    """Replaced at the beginnings of lines, wherever the pieces were cut."""
    rest = b"\n"  # what goes before counts as the end of a line, and is not given
    before = 1
    for piece in pieces:
        text = rest + piece
        # The line that is not whole yet waits, unless it is so long that it can't be meant.
        end = text.rfind(b"\n")
        if len(text) - end > _MAX_CARRIED_OCTETS:
            end = len(text)
        rest = text[end:]
        if end > 0:
            yield pattern.sub(by, text[:end])[before:]
            before = 0
    yield pattern.sub(by, rest)[before:]
