"""
The small letters of a folder's keywords, in the file dovecot-keywords that Dovecot keeps them in.

Programs that give letters take its lock, `dovecot-keywords.lock`, and put a new file in its place.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from contextlib import suppress

from ...mail.dovecot_files import keywords_text, read_keywords
from ...mail.maildir_name import is_keyword, unlettered, with_letters
from .opening import lines_of, opened

_FILE = b"dovecot-keywords"
_STALE_SECONDS = 120.0
"""As Dovecot has it: a lock this old was left by a program that is no more."""
MAX_REMEMBERED = 10_000
_MAX_OCTETS = 64 * 1024
"""Our own bound: 26 keywords have letters."""

_Version = tuple[int, int, int]


class Letters:
    """The letters of folders, remembered as long as their files are the same. For one thread."""

    def __init__(self) -> None:
        self._known: dict[bytes, tuple[_Version | None, dict[str, str]]] = {}

    def of(self, folder: bytes) -> dict[str, str]:
        """The keyword of each letter."""
        path = os.path.join(folder, _FILE)
        version = _version(path)
        known = self._known.get(folder)
        if known is None or known[0] != version:
            letters = {} if version is None else _read(path)
            if len(self._known) >= MAX_REMEMBERED:
                self._known.clear()
            known = self._known[folder] = version, letters
        return known[1]

    def giving(self, folder: bytes, keywords: Iterable[str], mode: int) -> dict[str, str]:
        """
        The same, after letters were given to those of the keywords that have none, while there are any left.

        Where another program has the lock, nothing is given now: the next change of flags tries again.
        """
        letters = self.of(folder)
        wanted = [keyword for keyword in unlettered(keywords, letters) if is_keyword(keyword)]
        if not wanted or with_letters(letters, wanted) == letters:
            return letters
        path = os.path.join(folder, _FILE)
        lock = path + b".lock"
        with suppress(OSError):
            if time.time() - os.stat(lock).st_mtime > _STALE_SECONDS:
                os.unlink(lock)
        try:
            descriptor = os.open(lock, os.O_CREAT | os.O_EXCL | os.O_WRONLY, mode)
        except OSError:
            return letters
        try:
            with open(descriptor, "w", encoding="utf-8") as file:
                file.write(keywords_text(with_letters(_read(path), wanted)))
                os.fchmod(descriptor, mode)
            os.rename(lock, path)
        except OSError:
            with suppress(OSError):
                os.unlink(lock)
        return self.of(folder)


def _version(path: bytes) -> _Version | None:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns, status.st_size


def _read(path: bytes) -> dict[str, str]:
    try:
        with opened(path) as file:
            return read_keywords(line.decode("utf-8", "replace") for line in lines_of(file, _MAX_OCTETS))
    except OSError:
        return {}
