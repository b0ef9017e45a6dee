"""
What is remembered of a client's dialogue, to be kept with a queue item: for people who ask why a message waits.

Bounded; no content, and no argument of AUTH: the engine says what is noted in their place.
"""

from __future__ import annotations

from ...mail.status import Reply

# What is kept: this many lines of the session's beginning, and as many of the last transaction.
TRANSCRIPT_LINES = 200
TRANSCRIPT_CHARACTERS = 16 * 1024


class Dialogue:
    """The session's beginning and its last transaction."""

    __slots__ = ("_now", "_session", "_transaction")

    def __init__(self) -> None:
        self._session: list[bytes | Reply] = []
        self._transaction: list[bytes | Reply] = []
        self._now = self._session

    def note(self, entry: bytes | Reply) -> None:
        """A line that was sent, or a reply that came."""
        if len(self._now) < TRANSCRIPT_LINES:
            self._now.append(entry)

    def begin_transaction(self) -> None:
        """A transaction begins: it takes the place of the one before."""
        self._transaction = self._now = []

    def __str__(self) -> str:
        lines: list[str] = []
        for entry in self._session + self._transaction:
            if isinstance(entry, bytes):
                lines.append("C: " + entry.decode("utf-8", "replace"))
            else:
                status = f"{entry.status} " if entry.status else ""
                lines += [f"S: {entry.code} {status}{line}" for line in entry.lines]
        return "\n".join(lines)[:TRANSCRIPT_CHARACTERS]
