"""
A passwd file: users and the hashes of their passwords in lines of text, kept by somebody else.

Decides which lines count. The file is looked at again when somebody is asked about, once a second at most, and read
again in a thread when it has changed; what can't be read leaves what was there before. Neighbours: `checker` and
`joined` ask; `passwords` verifies.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from twisted.internet.defer import CancelledError, DeferredLock
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from ..interfaces.deferred import returns_deferred
from ..mail.address import Address
from ..mail.errors import TemporaryFailure
from .old_hashes import can_verify, is_old_hash
from .passwords import Passwords
from .threads import Executor

LOOK_EVERY_SECONDS = 1.0
"""How late a change may be seen."""

MAX_OCTETS = 64 * 1024 * 1024
"""Our own bound: some 500,000 users."""

_ARGON2 = re.compile(r"\$argon2(?:id|i|d)\$v=\d+\$m=\d+,t=\d+,p=\d+\$[A-Za-z0-9+/]+\$[A-Za-z0-9+/]+")
_SCHEME = re.compile(r"\{(?:ARGON2ID|ARGON2I|CRYPT|SHA512-CRYPT|SHA256-CRYPT|BLF-CRYPT)\}")
"""What Dovecot writes before a hash that says by itself what it is."""

_LOCKED = "!"
_NO_USER = ("", "*", "!", "!!", "x")
"""What stands in the field of a system's account that is no person's."""


@dataclass(frozen=True, slots=True)
class Content:
    """
    What a file says.

    Attributes:
        hashes: by user's name; None for who is locked: there is such a user, who can't log in.
        mistakes: (line, what is wrong with it); the line is passed over.
    """

    hashes: Mapping[str, str | None] = field(default_factory=dict)
    mistakes: Sequence[tuple[int, str]] = ()


def read_passwd(path: Path, domains: Sequence[str]) -> Content:
    """
    Read a file: lines `name:hash`, further fields ignored, empty lines and those that begin with "#" passed over.

    Args:
        path: of the file, UTF-8.
        domains: users are at home there; the first completes names without "@".

    Raises: OSError; ValueError: it is not UTF-8, or too large.
    """
    with open(path, "rb") as file:
        octets = file.read(MAX_OCTETS + 1)
    if len(octets) > MAX_OCTETS:
        raise ValueError(f"{path} has more than {MAX_OCTETS} octets")
    hashes: dict[str, str | None] = {}
    mistakes = []
    for number, line in enumerate(octets.decode("utf-8-sig").splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        try:
            found = _read_line(line, domains)
            if found is not None:
                name, stored_hash = found
                if name in hashes:
                    raise ValueError(f"{name} stands in an earlier line as well, which counts")
                hashes[name] = stored_hash
        except ValueError as error:
            mistakes.append((number, str(error)))
    return Content(hashes, mistakes)


def _read_line(line: str, domains: Sequence[str]) -> tuple[str, str | None] | None:
    name, colon, rest = line.partition(":")
    if not colon:
        raise ValueError("expected NAME:HASH")
    text = rest.partition(":")[0].strip()
    if text in _NO_USER:
        return None
    text = text[scheme.end() :] if (scheme := _SCHEME.match(text)) else text
    return _user_name(name.strip(), domains), None if text.startswith(_LOCKED) else _checked_hash(text)


def _user_name(text: str, domains: Sequence[str]) -> str:
    name = unicodedata.normalize("NFC", text)
    address = Address.parse(name if "@" in name else f"{name}@{domains[0]}")
    if address.domain not in domains:
        raise ValueError(f"{address.domain} is not a domain of this node")
    return address.key


def _checked_hash(text: str) -> str:
    if _ARGON2.fullmatch(text):
        return text
    if not is_old_hash(text):
        raise ValueError("not a hash of argon2, nor of crypt(3) by yescrypt, scrypt, bcrypt, SHA-512 or SHA-256")
    if not can_verify():
        raise ValueError("this hash needs libcrypt, which this system has not")
    return text


class PasswdFile:
    """A PasswordSource and a UserSource."""

    hashes_here = True

    _log = Logger()

    def __init__(
        self, path: Path, domains: Sequence[str], passwords: Passwords, executor: Executor, clock: IReactorTime
    ) -> None:
        """
        Args:
            path: of the file.
            domains: see `read_passwd`.
            passwords: verifies.
            executor: where the file is read.
            clock: says when to look again.
        """
        self.version = 1
        self._path = path
        self._domains = domains
        self._passwords = passwords
        self._executor = executor
        self._clock = clock
        self._content = Content()
        self._looked_at = float("-inf")
        self._looking = DeferredLock()
        self._seen: tuple[int, int, int] | None = None
        self._told = ""

    @returns_deferred
    async def knows(self, name: str) -> bool:
        """See UserSource."""
        return name in (await self._current()).hashes

    @returns_deferred
    async def check(self, name: str, password: str) -> bool | None:
        """See PasswordSource."""
        hashes = (await self._current()).hashes
        if name not in hashes:
            return None
        return (await self._passwords.verify(name, password, hashes[name])).correct

    async def _current(self) -> Content:
        if self._is_due():
            await self._looking.acquire()
            try:
                if self._is_due():
                    await self._look()
                    self._looked_at = self._clock.seconds()
            finally:
                self._looking.release()
        return self._content

    def _is_due(self) -> bool:
        return self._clock.seconds() - self._looked_at >= LOOK_EVERY_SECONDS

    async def _look(self) -> None:
        try:
            status = self._path.stat()
            seen = (status.st_mtime_ns, status.st_size, status.st_ino)
            if seen == self._seen:
                return
            content = await self._executor.run(lambda: read_passwd(self._path, self._domains))
        except CancelledError:
            raise
        except (OSError, ValueError, TemporaryFailure) as error:
            self._could_not_read(error)
            return
        self._seen, self._content, self._told = seen, content, ""
        self.version += 1
        for number, reason in content.mistakes:
            self._log.warn("{path}, line {line}: {reason}", path=str(self._path), line=number, reason=reason)
        self._log.info("{path}: {count} users", path=str(self._path), count=len(content.hashes))

    def _could_not_read(self, error: Exception) -> None:
        if str(error) != self._told:
            self._told = str(error)
            self._log.warn("{path} can't be read: {reason}", path=str(self._path), reason=str(error))
        if self._seen is None:
            raise TemporaryFailure("users can't be looked up now") from error
