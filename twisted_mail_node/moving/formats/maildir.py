"""
Maildir and Maildir++ as a source: messages, folders, and where Dovecot kept them UIDs and keywords.

Others may go on working with it meanwhile: a file that was renamed since is looked for again. Neighbours:
`maildir_names` and `dovecot` for what names and files say, `maildir_writing` for the way out.
"""

from __future__ import annotations

import os
import stat
from array import array
from collections.abc import Container, Iterator, Sequence
from itertools import chain, islice
from operator import lt
from pathlib import Path

from ...mail.columns import InternalDate
from ...mail.dovecot_files import read_keywords
from ..file_names import FileNames
from ..source import CannotRead, Found, Known, Original, SourceMailbox, Unreadable, guid_of
from .dovecot import KEYWORDS, SUBSCRIPTIONS, UIDLIST, read_subscriptions, read_uidlist_head, read_uids
from .maildir_names import base_of, decoded_level, flags_of, levels_of, own_name

PIECE_OCTETS = 256 * 1024
_MAX_DEPTH = 50
_PARTS = ("cur", "new", "tmp")


class Maildir:
    """A Maildir with its folders: those of Maildir++ (`.A.B`), and of Dovecot's LAYOUT=fs (`A/B`)."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def mailboxes(self) -> Iterator[SourceMailbox | Unreadable]:
        """See Source."""
        if not _is_maildir(self._folder):
            raise CannotRead(f"{self._folder} is no Maildir: it has no folders cur and new")
        subscribed = self._subscriptions()
        for levels, folder in sorted(self._folders()):
            try:
                yield MaildirFolder(folder, levels, subscribed is None or not levels or tuple(levels) in subscribed)
            except CannotRead as error:
                yield Unreadable(str(folder), str(error))

    def _folders(self) -> Iterator[tuple[list[str], Path]]:
        yield [], self._folder
        for entry in _subfolders(self._folder):
            if entry.name.startswith("."):
                if _is_maildir(Path(entry.path)):
                    yield levels_of(entry.name[1:]), Path(entry.path)
            else:
                yield from _plain_folders(Path(entry.path), [decoded_level(entry.name)])

    def _subscriptions(self) -> set[tuple[str, ...]] | None:
        for name in (SUBSCRIPTIONS, "courierimapsubscribed"):
            try:
                return read_subscriptions((self._folder / name).read_text("utf-8", "replace").splitlines())
            except OSError:
                continue
        return None


def _is_maildir(folder: Path) -> bool:
    return (folder / "cur").is_dir() and (folder / "new").is_dir()


def _subfolders(folder: Path) -> list[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        return [entry for entry in entries if entry.name not in _PARTS and entry.is_dir(follow_symlinks=False)]


def _plain_folders(folder: Path, levels: list[str]) -> Iterator[tuple[list[str], Path]]:
    if _is_maildir(folder):
        yield levels, folder
    if len(levels) < _MAX_DEPTH:
        for entry in _subfolders(folder):
            if not entry.name.startswith("."):
                yield from _plain_folders(Path(entry.path), [*levels, decoded_level(entry.name)])


class MaildirFolder:
    """One folder. See SourceMailbox."""

    special_use = None
    highest_modseq = None

    def __init__(self, folder: Path, levels: list[str], subscribed: bool) -> None:
        self.levels = levels
        self.subscribed = subscribed
        self._folder = os.fsencode(folder)
        self._where = str(folder)
        self._keywords = self._read_keywords(folder / KEYWORDS)
        self._names = FileNames(self._list_names())
        self.amount = len(self._names)
        self._uids = array("L", bytes(array("L").itemsize * self.amount))
        self.uid_validity: int | None = None
        self.uid_next = 1
        self._read_uidlist(folder / UIDLIST)

    def _read_uidlist(self, path: Path) -> None:
        try:
            with open(path, "rb") as lines:
                self.uid_validity, self.uid_next = read_uidlist_head(lines.readline())
                for uid, base in read_uids(lines) if self.uid_validity else ():
                    self.uid_next = max(self.uid_next, uid + 1)
                    position = self._position(b"cur/", base)
                    if position is None:
                        position = self._position(b"new/", base)
                    if position is not None:
                        self._uids[position] = uid
        except OSError:
            return

    def _position(self, part: bytes, base: bytes) -> int | None:
        """Where the message stands among the names."""
        begin = part + base
        names = self._names
        position = names.first_from(begin)
        # Only names that begin so can come between: those with more before their flags.
        while position < len(names) and names[position].startswith(begin):
            if base_of(names[position][4:]) == base:
                return position
            position += 1
        return None

    def _read_keywords(self, path: Path) -> dict[str, str]:
        try:
            with open(path, encoding="utf-8", errors="replace") as lines:
                return read_keywords(lines)
        except OSError:
            return {}

    def _list_names(self) -> list[bytes]:
        """All names with their folder in front; `new` first, since what moves meanwhile moves from there to `cur`."""
        names: list[bytes] = []
        moved: set[bytes] = set()
        for part in (b"new/", b"cur/"):
            try:
                with os.scandir(self._folder + b"/" + part) as entries:
                    for entry in entries:
                        base = base_of(entry.name)
                        if not base.startswith(b".") and base not in moved:
                            names.append(part + entry.name)
                            if part == b"new/":
                                moved.add(base)
            except OSError as error:
                raise CannotRead(f"{self._where} can't be read: {error.strerror}") from error
        return names

    def messages(self, known: Container[bytes]) -> Iterator[Found]:
        """See SourceMailbox."""
        for position in self._order():
            name = self._names[position]
            base = base_of(name[4:])
            ours = own_name(base)
            guid = ours.guid if ours else guid_of(b"maildir", "\0".join(self.levels).encode(), base)
            if guid in known:
                yield Known()
                continue
            try:
                path, status = self._find(name)
            except OSError as error:
                yield Unreadable(self._shown(name), error.strerror or str(error))
                continue
            if not stat.S_ISREG(status.st_mode):
                yield Unreadable(self._shown(name), "it is no file")
                continue
            yield Original(
                self._shown(name),
                guid,
                flags_of(path, self._keywords),
                ours.internal_date if ours else InternalDate(int(status.st_mtime)),
                lambda path=path: _pieces(path),  # type: ignore[misc]
                self._uids[position] or None,
            )

    def _order(self) -> Sequence[int]:
        """By UID; those without one come last, in the order in which they came."""
        names, uids = self._names, self._uids
        if not self.uid_validity or (uids and uids[0] and all(map(lt, uids, islice(uids, 1, None)))):
            return range(len(names))
        with_uid = sorted((position for position, uid in enumerate(uids) if uid), key=uids.__getitem__)
        return array("L", chain(with_uid, (position for position, uid in enumerate(uids) if not uid)))

    def _find(self, name: bytes) -> tuple[bytes, os.stat_result]:
        """The file's path, though its flags have changed since its name was read."""
        path = self._folder + b"/" + name
        try:
            return path, os.stat(path)
        except FileNotFoundError:
            base = base_of(name[4:])
            with os.scandir(self._folder + b"/cur") as entries:
                for entry in entries:
                    if base_of(entry.name) == base:
                        return entry.path, entry.stat()
            raise

    def _shown(self, name: bytes) -> str:
        return f"{self._where}/{os.fsdecode(name)}"


def _pieces(path: bytes) -> Iterator[bytes]:
    with open(path, "rb", buffering=0) as file:
        while piece := file.read(PIECE_OCTETS):
            yield piece
