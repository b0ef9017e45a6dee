"""
The text of a message as it is kept for searching: decoded, folded, in UTF-8. Its header a line `NAME: value` a field;
everything else part after part, with an octet between them that no text has.

Made in small pieces of work, by whoever has idle moments. What is found in it is what is found by reading the message,
since both are made by `decode` and `charsets.fold`. Neighbours: `imap.search` looks into it; `signature` says in few
bits what may be in it.
"""

from __future__ import annotations

from collections.abc import Iterator

from .charsets import fold
from .decode import header_text
from .headers import HEADER_LIMIT_OCTETS

FORM = 1
"""Counted up whenever the same message would be kept as another text than before."""

LIMIT_OCTETS = 256 * 1024
"""Our own bound, of header and of text: a message that has more is read when it is searched."""

SEPARATOR = b"\0"


def encoded(folded: str) -> bytes:
    """Folded text as octets; what UTF-8 has no place for is kept all the same."""
    return folded.encode("utf-8", "surrogatepass")


def kept_head(block: bytes) -> bytes | None:
    """The text of a header block, or None where it is too large to be kept."""
    # Half of what is looked into, so that a prefix before it finds room.
    return None if len(block) > HEADER_LIMIT_OCTETS // 2 else encoded(fold(header_text(block)))


def with_prefix(prefix: bytes, head: bytes) -> bytes:
    """The kept text of a header with the lines that one recipient has before it."""
    if not prefix:
        return head
    return b"\n".join(filter(None, (encoded(fold(header_text(prefix))), head)))


def kept_fields(head: bytes, names: frozenset[bytes]) -> Iterator[tuple[str, str]]:
    """(name in lower case, folded value) of the fields with these names (in lower case), in order."""
    for line in head.split(b"\n"):
        name, _, value = line.partition(b": ")
        if name.lower() in names:
            yield name.lower().decode("ascii"), value.decode("utf-8", "surrogatepass")


class TextCollector:
    """Takes the texts of a message, each in pieces, and gives them as one, unless they are too large to be kept."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._octets = 0

    @property
    def is_full(self) -> bool:
        """Whether there is too much."""
        return self._octets > LIMIT_OCTETS

    def feed(self, text: str) -> None:
        """A piece of a text."""
        if text and not self.is_full:
            self._pieces.append(encoded(fold(text)))
            self._octets += len(self._pieces[-1])

    def end_text(self) -> None:
        """A text ends: what follows does not join it."""
        self._pieces.append(SEPARATOR)

    def finish(self) -> bytes | None:
        """All of it, or None where it is too large."""
        return None if self.is_full else b"".join(self._pieces)
