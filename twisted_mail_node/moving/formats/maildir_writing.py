"""
Maildir++ as a target: a file a message, flags in its name, the date as the file's; and beside them the files in which
Dovecot keeps UIDs, keywords and subscriptions.

Line ends are LF, as all who read Maildir expect, where the message can be made of that again; otherwise it is written
as it is. What an earlier export wrote is left, or gets its flags of today. A folder with files of others is left alone.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from ...mail.dovecot_files import keywords_text, read_keywords
from ...mail.flags import Flags
from ...mail.maildir_name import MAX_LETTERS, unlettered, with_letters
from ..content import LineFeeds
from ..file_names import FileNames
from ..shelf import ShelvedMailbox, ShelvedMessage
from ..source import CannotRead, Pieces
from ..target import CannotWrite, names_that_fit
from .dovecot import (
    KEYWORDS,
    SUBSCRIPTIONS,
    UIDLIST,
    subscription_lines,
    uidlist_line,
)
from .maildir_names import (
    OwnName,
    base_of,
    encoded_level,
    file_name_of,
    folder_of,
    own_begin,
    own_name,
)


class MaildirTarget:
    """A folder that is, or becomes, a Maildir with folders."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._subscribed: list[list[str]] = []

    def open(self, mailbox: ShelvedMailbox) -> MaildirWriter:
        """Begin a mailbox. Raises: CannotWrite, OSError."""
        levels = [] if mailbox.name == "INBOX" else mailbox.name.split("/")
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if mailbox.subscribed:
            self._subscribed.append([encoded_level(level) for level in levels] or ["INBOX"])
        with names_that_fit():
            return MaildirWriter(self._folder / folder_of(levels) if levels else self._folder, mailbox, not levels)

    def finish(self) -> None:
        """All mailboxes are written. Raises: OSError."""
        if self._subscribed:
            _write_whole(self._folder / SUBSCRIPTIONS, subscription_lines(self._subscribed))


class MaildirWriter:
    """One mailbox. `remarks` are what could not be written as it was."""

    def __init__(self, folder: Path, mailbox: ShelvedMailbox, is_inbox: bool) -> None:
        self.remarks: list[str] = []
        self._folder = folder
        self._mailbox = mailbox
        for part in ("cur", "new", "tmp"):
            (folder / part).mkdir(mode=0o700, parents=True, exist_ok=True)
        if not is_inbox:
            (folder / "maildirfolder").touch(mode=0o600)
        self._here = self._files_here()
        self._letters = self._letters_here()
        self._uidlist = _UIDListFile(folder / UIDLIST, mailbox)
        self._without_letter = 0

    def _files_here(self) -> FileNames:
        """What an earlier export wrote."""
        files: list[bytes] = []
        for part in ("cur", "new"):
            for name in os.listdir(os.fsencode(self._folder / part)):
                if own_name(base_of(name)) is None or part == "new":
                    raise CannotWrite(f"{self._folder} has mail of others: {os.fsdecode(name)}")
                files.append(name)
        return FileNames(files)

    def _file_of(self, message: ShelvedMessage) -> bytes | None:
        begin = own_begin(message.guid, message.internal_date) + b"."
        position = self._here.first_from(begin)
        if position == len(self._here):
            return None
        found = self._here[position]
        return found if found.startswith(begin) else None

    def _letters_here(self) -> dict[str, str]:
        with suppress(FileNotFoundError):
            return read_keywords((self._folder / KEYWORDS).read_text("utf-8", "replace").splitlines())
        return {}

    def add(self, message: ShelvedMessage, pieces: Pieces) -> bool:
        """Write a message. Gives False for one that is there already. Raises: OSError."""
        letters = self._letters_of(message.flags)
        name = self._file_of(message)
        if name is not None and self._is_whole(name):
            base = base_of(name)
            self._uidlist.add(message.uid, base)
            wanted = file_name_of(base, message.flags, letters)
            if wanted != name:
                os.rename(self._path("cur", name), self._path("cur", wanted))
            return False
        if name is not None:
            os.unlink(self._path("cur", name))
        written = self._path("tmp", b"%d.mailnode" % os.getpid())
        try:
            size = _write(written, pieces)
        except CannotRead:
            os.unlink(written)
            raise
        base = OwnName(message.guid, message.internal_date, size).base()
        os.utime(written, (message.internal_date.unix_seconds,) * 2)
        os.rename(written, self._path("cur", file_name_of(base, message.flags, letters)))
        self._uidlist.add(message.uid, base)
        return True

    def _is_whole(self, name: bytes) -> bool:
        ours = own_name(base_of(name))
        return ours is not None and ours.size == os.stat(self._path("cur", name)).st_size

    def _path(self, part: str, name: bytes) -> bytes:
        return os.path.join(os.fsencode(self._folder / part), name)

    def _letters_of(self, flags: Flags) -> dict[str, str]:
        """What letters stand for, new ones given where there are any left."""
        self._letters = with_letters(self._letters, flags.keywords)
        self._without_letter += len(unlettered(flags.keywords, self._letters))
        return self._letters

    def finish(self) -> None:
        """All messages are written: now the files beside them. Raises: OSError."""
        if self._without_letter:
            told = f"{self._without_letter} keywords were left out: a Maildir folder has {MAX_LETTERS} at most"
            self.remarks.append(told)
        if self._letters:
            _write_whole(self._folder / KEYWORDS, [keywords_text(self._letters)])
        # Files of messages that are gone from the store since stay, and keep no UID.
        self._uidlist.finish()


class _UIDListFile:
    """dovecot-uidlist, written as messages come."""

    def __init__(self, path: Path, mailbox: ShelvedMailbox) -> None:
        self._path, self._mailbox = path, mailbox
        self._next = mailbox.uid_next
        self._made = path.with_name(f".{path.name}.{os.getpid()}")
        self._file = _create(self._made)
        self._file.write(self._first())

    def _first(self) -> bytes:
        """The first line, as long whatever UIDNEXT is."""
        return uidlist_line(self._mailbox.uid_validity, self._next, self._mailbox.mailbox_id)

    def add(self, uid: int, base: bytes) -> None:
        """The next message."""
        self._next = max(self._next, uid + 1)
        self._file.write(b"%d :%s\n" % (uid, base))

    def finish(self) -> None:
        """All messages were added."""
        self._file.seek(0)
        self._file.write(self._first())
        _put_in_place(self._file, self._made, self._path)


def _write(path: bytes, pieces: Pieces) -> int:
    """A message's file. Gives its size."""
    feeds = LineFeeds()
    with _create(Path(os.fsdecode(path))) as file:
        file.writelines(feeds.of(pieces()))
        if not feeds.is_lossless:
            file.seek(0)
            file.writelines(pieces())
    return os.stat(path).st_size


def _create(path: Path) -> BinaryIO:
    return open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600), "wb")


def _write_whole(path: Path, lines: Iterable[str]) -> None:
    """A file that is there whole, or as it was before."""
    made = path.with_name(f".{path.name}.{os.getpid()}")
    file = _create(made)
    file.writelines(line.encode() for line in lines)
    _put_in_place(file, made, path)


def _put_in_place(file: BinaryIO, made: Path, path: Path) -> None:
    with file:
        file.flush()
        os.fsync(file.fileno())
    os.rename(made, path)
