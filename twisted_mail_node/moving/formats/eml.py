"""
Folders of `.eml` files as a source: every folder is a mailbox, with what lies in the first as INBOX.

A file tells no flags and often no date that means anything: the date is that of the topmost Received field, else of
Date, else the file's.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Container, Iterator
from email.utils import mktime_tz, parsedate_tz
from pathlib import Path

from ...mail.columns import InternalDate
from ...mail.flags import NO_FLAGS, Flags
from ..source import CannotRead, Found, Known, Original, SourceMailbox, Unreadable, guid_of

PIECE_OCTETS = 256 * 1024
_HEADER_OCTETS = 64 * 1024
_MAX_DEPTH = 50
_LATEST = 253_402_300_799  # the end of the year 9999

_header_end = re.compile(rb"\n\r?\n")
_dated = re.compile(rb"(?:^|\n)(Received|Date)[ \t]*:([^\n]*(?:\n[ \t][^\n]*)*)", re.IGNORECASE)


class EmlFolders:
    """A folder of .eml files, and those below it. `flags` are for every message."""

    def __init__(self, folder: Path, flags: Flags = NO_FLAGS) -> None:
        self._folder = folder
        self._flags = flags

    def mailboxes(self) -> Iterator[SourceMailbox | Unreadable]:
        """See Source."""
        if not self._folder.is_dir():
            raise CannotRead(f"{self._folder} is no folder")
        yield from self._below(self._folder, [])

    def _below(self, folder: Path, levels: list[str]) -> Iterator[SourceMailbox | Unreadable]:
        files: list[str] = []
        folders: list[str] = []
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(entry.name)
                    elif entry.name.lower().endswith(".eml"):
                        files.append(entry.name)
        except OSError as error:
            yield Unreadable(str(folder), error.strerror or str(error))
        if files:
            files.sort()
            yield EmlFolder(folder, levels, files, self._flags)
        if len(levels) < _MAX_DEPTH:
            for name in sorted(folders):
                yield from self._below(folder / name, [*levels, os.fsencode(name).decode("utf-8", "replace")])


class EmlFolder:
    """One folder. See SourceMailbox."""

    special_use = None
    subscribed = True
    uid_validity = None
    uid_next = 1
    highest_modseq = None

    def __init__(self, folder: Path, levels: list[str], files: list[str], flags: Flags) -> None:
        self.levels = levels
        self.amount = len(files)
        self._folder = folder
        self._files = files
        self._flags = flags

    def messages(self, known: Container[bytes]) -> Iterator[Found]:
        """See SourceMailbox."""
        prefix = "\0".join(self.levels).encode("utf-8", "replace")
        for name in self._files:
            guid = guid_of(b"eml", prefix, os.fsencode(name))
            if guid in known:
                yield Known()
                continue
            path = self._folder / name
            try:
                status = path.stat()
                if not stat.S_ISREG(status.st_mode):
                    yield Unreadable(str(path), "it is no file")
                    continue
                date = date_of(_begin_of(path)) or InternalDate(int(status.st_mtime))
            except OSError as error:
                yield Unreadable(str(path), error.strerror or str(error))
                continue
            yield Original(str(path), guid, self._flags, date, lambda path=path: _pieces(path))  # type: ignore[misc]


def _begin_of(path: Path) -> bytes:
    with open(path, "rb", buffering=0) as file:
        return file.read(_HEADER_OCTETS)


def _pieces(path: Path) -> Iterator[bytes]:
    with open(path, "rb", buffering=0) as file:
        while piece := file.read(PIECE_OCTETS):
            yield piece


def date_of(begin: bytes) -> InternalDate | None:
    """When a message came, as far as its header tells: by the topmost Received field, else by Date."""
    end = _header_end.search(begin)
    found = dict[bytes, bytes]()
    for name, value in _dated.findall(begin[: end.start()] if end else begin):
        found.setdefault(name.lower(), value)
    for name in (b"received", b"date"):
        text = found.get(name, b"")
        date = _date(text.rpartition(b";")[2] if name == b"received" else text)
        if date is not None:
            return date
    return None


def _date(text: bytes) -> InternalDate | None:
    parsed = parsedate_tz(" ".join(text.decode("ascii", "replace").split()))
    if parsed is None:
        return None
    zone = (parsed[9] or 0) // 60
    try:
        seconds = mktime_tz(parsed)
    except (ValueError, OverflowError):
        return None
    # RFC 3501 §9 date-time: a year of four digits, a zone of hours and minutes.
    if not 0 <= seconds <= _LATEST or abs(zone) >= 24 * 60:
        return None
    return InternalDate(seconds, zone)
