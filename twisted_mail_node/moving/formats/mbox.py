"""
mbox files as a source: one file, or a folder of them and of folders (as Thunderbird and Apple Mail keep them).

The files must not be written to meanwhile: where a message stands is a part of how it is known again. Neighbours:
`mbox_framing` for where messages are, `mbox_header` for what programs wrote into them, `mbox_quoting`.
"""

from __future__ import annotations

import os
from collections.abc import Container, Iterator
from pathlib import Path

from ..source import CannotRead, Found, Known, Original, SourceMailbox, Unreadable, guid_of
from .mbox_framing import NoMbox, Span, spans_of
from .mbox_header import MAX_HEADER_OCTETS, Entry, read_entry
from .mbox_names import name_of
from .mbox_quoting import unquoted

PIECE_OCTETS = 256 * 1024
_DIGESTED_OCTETS = 64 * 1024
_MAX_DEPTH = 50


class Mbox:
    """
    A file, or all files below a folder that begin as an mbox does.

    The one file is INBOX where `is_inbox`; else it has the name of the file, as all others have.
    """

    def __init__(self, path: Path, is_inbox: bool = False) -> None:
        self._path = path
        self._is_inbox = is_inbox

    def mailboxes(self) -> Iterator[SourceMailbox | Unreadable]:
        """See Source."""
        if not self._path.is_dir():
            yield MboxFile(self._path, [] if self._is_inbox else _levels([name_of(self._path.name)]))
            return
        for levels, path in sorted(_files_below(self._path, [])):
            try:
                yield MboxFile(path, _levels(levels))
            except CannotRead as error:
                yield Unreadable(str(path), str(error))


def _files_below(folder: Path, levels: list[str]) -> Iterator[tuple[list[str], Path]]:
    with os.scandir(folder) as found:
        entries = [entry for entry in found if not entry.name.startswith(".")]
    for entry in entries:
        name = name_of(os.fsencode(entry.name).decode("utf-8", "replace"))
        if entry.is_dir(follow_symlinks=False):
            if len(levels) < _MAX_DEPTH:
                yield from _files_below(Path(entry.path), [*levels, name])
        elif entry.is_file() and _begins_as_mbox(entry.path):
            # Apple Mail has a folder NAME.mbox with a file mbox in it.
            own = entry.name == "mbox" and levels
            yield levels if own else [*levels, name], Path(entry.path)


def _begins_as_mbox(path: str) -> bool:
    try:
        with open(path, "rb") as file:
            return file.read(4096).lstrip(b"\r\n").startswith(b"From ")
    except OSError:
        # It will be told when it is opened as a mailbox.
        return True


def _levels(names: list[str]) -> list[str]:
    return [] if len(names) == 1 and names[0].upper() == "INBOX" else names


class MboxFile:
    """One file. See SourceMailbox; amounts are octets."""

    special_use = None
    highest_modseq = None
    subscribed = True

    def __init__(self, path: Path, levels: list[str]) -> None:
        self.levels = levels
        self._path = path
        self._guid_parts = (b"mbox", "\0".join(levels).encode("utf-8", "replace"))
        try:
            with open(path, "rb") as file:
                self.amount = os.fstat(file.fileno()).st_size
                span = next(spans_of(file), None)
                entry = self._entry_at(file.fileno(), span)[1] if span else None
        except (OSError, NoMbox) as error:
            raise _cannot_read(path, error) from error
        base = entry.base if entry else None
        self.uid_validity = base.uid_validity if base else None
        self.uid_next = base.uid_next if base else 1

    def _entry_at(self, descriptor: int, span: Span) -> tuple[bytes, Entry]:
        begin = os.pread(descriptor, min(MAX_HEADER_OCTETS, span.end - span.begin), span.begin)
        return begin, read_entry(begin, span.by_length)

    def messages(self, known: Container[bytes]) -> Iterator[Found]:
        """See SourceMailbox."""
        told = last_uid = 0
        try:
            with open(self._path, "rb") as file:
                for span in spans_of(file):
                    amount, told = span.end - told, span.end
                    begin, entry = self._entry_at(file.fileno(), span)
                    uid = entry.uid if self.uid_validity and (entry.uid or 0) > last_uid else None
                    last_uid = uid or last_uid
                    yield self._found(span, begin, entry, uid, amount, known)
        except (OSError, NoMbox) as error:
            raise _cannot_read(self._path, error) from error
        yield Known(self.amount - told, 0)

    def _found(
        self, span: Span, begin: bytes, entry: Entry, uid: int | None, amount: int, known: Container[bytes]
    ) -> Found:
        own = entry.own
        digested = begin[:_DIGESTED_OCTETS]
        guid = own.guid if own else guid_of(*self._guid_parts, b"%d" % span.begin, digested)
        if guid in known:
            return Known(amount)
        return Original(
            f"{self._path}, octet {span.begin}",
            guid,
            entry.flags,
            own.internal_date if own else span.date,
            lambda: self._pieces(span, begin, entry),
            uid,
            amount,
            line_feeds_only=own is not None,
            size=own.size if own else None,
        )

    def _pieces(self, span: Span, begin: bytes, entry: Entry) -> Iterator[bytes]:
        # In front of another's header fields nobody puts a ">"; this node quotes whatever looks so.
        head = entry.header
        if entry.own:
            yield from unquoted([head])
        else:
            yield head
        yield from unquoted(self._rest(span, begin, entry.length))

    def _rest(self, span: Span, begin: bytes, offset: int) -> Iterator[bytes]:
        yield begin[offset:]
        position = span.begin + max(len(begin), offset)
        if position >= span.end:
            return
        with open(self._path, "rb", buffering=0) as file:
            file.seek(position)
            while position < span.end and (piece := file.read(min(PIECE_OCTETS, span.end - position))):
                yield piece
                position += len(piece)


def _cannot_read(path: Path, error: Exception) -> CannotRead:
    if isinstance(error, NoMbox):
        return CannotRead(f"{path} is no mbox: it does not begin with a line of 'From ', a sender and a date")
    return CannotRead(f"{path} can't be read: {error}")
