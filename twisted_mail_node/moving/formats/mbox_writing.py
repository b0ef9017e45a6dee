"""
mbox as a target: a file a mailbox, in the form mboxrd, with flags, keywords, UIDs and dates in the headers.

A file is written anew, beside the one of an earlier export, and takes its place when it is whole.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from ..content import LineFeeds
from ..shelf import ShelvedMailbox, ShelvedMessage
from ..source import CannotRead, Pieces
from ..target import names_that_fit
from .mbox_framing import separator_line
from .mbox_header import MAX_HEADER_OCTETS, Base, OwnEntry, base_line, own_lines
from .mbox_names import file_name_of, folder_name_of
from .mbox_quoting import quoted


class MboxTarget:
    """A folder of mbox files: `A.mbox`, and `A/B.mbox` for the mailbox below."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def open(self, mailbox: ShelvedMailbox) -> MboxWriter:
        """Begin a mailbox. Raises: CannotWrite, OSError."""
        *above, last = mailbox.name.split("/")
        folder = self._folder.joinpath(*map(folder_name_of, above))
        with names_that_fit():
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            return MboxWriter(folder / file_name_of(last), mailbox)

    def finish(self) -> None:
        """All mailboxes are written."""


class MboxWriter:
    """One mailbox. `remarks` are what could not be written as it was: nothing."""

    def __init__(self, path: Path, mailbox: ShelvedMailbox) -> None:
        self.remarks: list[str] = []
        self._path = path
        self._made = path.with_name(f".{path.name}.{os.getpid()}")
        self._file_has_base = False
        self._base = base_line(Base(mailbox.uid_validity, mailbox.uid_next))
        self._file = open(  # noqa: SIM115  closed by `finish`
            os.open(self._made, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600),
            "wb",
            buffering=1024 * 1024,
        )

    def add(self, message: ShelvedMessage, pieces: Pieces) -> bool:
        """Write a message; gives True. Raises: OSError."""
        begin = self._file.tell()
        try:
            self._write(message, pieces())
        except CannotRead:
            self._file.seek(begin)
            self._file.truncate()
            raise
        self._file_has_base = True
        return True

    def _write(self, message: ShelvedMessage, pieces: Iterator[bytes]) -> None:
        self._file.write(separator_line(b"MAILER-DAEMON", message.internal_date))
        ends_line = True
        for piece in quoted(self._marked(message, pieces)):
            self._file.write(piece)
            ends_line = piece.endswith(b"\n") if piece else ends_line
        self._file.write(b"\n" if ends_line else b"\n\n")

    def _marked(self, message: ShelvedMessage, pieces: Iterator[bytes]) -> Iterator[bytes]:
        """The message with LF line ends, and our lines at the end of its header; or in front, where it has no end."""
        begin = bytearray()
        end = -1
        for piece in pieces:
            begin += piece
            end = 0 if begin.startswith(b"\r\n") else begin.find(b"\n\r\n") + 1 or -1
            if end >= 0 or len(begin) > MAX_HEADER_OCTETS // 2:
                break
        base = b"" if self._file_has_base else self._base
        entry = OwnEntry(message.guid, message.internal_date, message.size, end >= 0)
        lines = base + own_lines(message.flags, message.uid, entry)
        if end < 0:
            yield lines + b"\n"
        else:
            yield from LineFeeds().of([bytes(begin[:end])])
            yield lines
        yield from LineFeeds().of(chain([bytes(begin[max(end, 0) :])], pieces))

    def finish(self) -> None:
        """All messages are written. Raises: OSError."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        os.rename(self._made, self._path)
