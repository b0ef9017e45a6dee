"""
Large bodies on their way to a store that takes whole messages only: kept in files without names, then read as one.

One of them is in memory at a time, however many there are. What a crash leaves is nothing: the files are gone with
the process, and nobody was told that their messages had been taken.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

from twisted.internet.defer import Deferred, DeferredLock
from twisted.internet.threads import deferToThreadPool
from twisted.python.threadpool import ThreadPool
from zope.interface import implementer

from ...interfaces.deferred import returns_deferred
from ...interfaces.store import IBodyWriter
from ...mail.columns import INLINE_BODY_OCTETS
from ...mail.errors import TemporaryFailure, Unavailable
from ...mail.transaction import Body
from ..identity import new_guid

# A finished body that no transaction took for this long is swept: far longer than any transaction waits.
STAGED_SECONDS = 3600.0

_GIVEN_UP = "the message was finished or given up"
_GONE = "the message body is no longer there; send it again"


class Staging:
    """
    The staged bodies of one store.

    Args:
        reactor: runs threads, and tells the time.
        folder: where the files are; None: where the system has temporary ones, which may be in memory.
    """

    # Any: a reactor provides more interfaces than one type has names.
    def __init__(self, reactor: Any, folder: Path | None = None) -> None:
        self.reactor = reactor
        self.folder = folder
        self.whole = DeferredLock()
        """Held by who has a large body in memory."""
        self._threads: ThreadPool | None = None
        self._finished: dict[str, tuple[IO[bytes], float]] = {}

    def start(self) -> None:
        """Begin to take bodies."""
        self._threads = ThreadPool(0, 1, "staged bodies")
        self._threads.start()

    def stop(self) -> None:
        """Forget all bodies."""
        if self._threads is not None:
            threads, self._threads = self._threads, None
            threads.stop()
        for file, _ in self._finished.values():
            file.close()
        self._finished.clear()

    def writer(self) -> IBodyWriter:
        """See IBodyStaging.stage_body."""
        self._sweep()
        return _BodyWriter(self)

    # Any: whatever the work gives.
    def in_thread(self, work: Any, *arguments: Any) -> Deferred[Any]:
        """Do what may wait for the disk. Fails with Unavailable while the store is stopped."""
        if self._threads is None:
            raise Unavailable("the mail store is stopped")
        return deferToThreadPool(self.reactor, self._threads, work, *arguments)

    def keep(self, file: IO[bytes]) -> str:
        """Keep a finished body. Returns: its name."""
        name = new_guid()
        self._finished[name] = (file, self.reactor.seconds())
        return name

    def forget(self, name: str) -> None:
        """A body was used, or given up."""
        file, _ = self._finished.pop(name, (None, 0.0))
        if file is not None:
            file.close()

    async def read(self, bodies: Sequence[Body]) -> list[Body]:
        """The bodies with their content. Raises: TemporaryFailure: a staged one is gone."""
        return [await self._with_content(body) for body in bodies]

    def used(self, bodies: Sequence[Body]) -> None:
        """These have come into the store."""
        for body in bodies:
            if body.staged is not None:
                self.forget(body.staged)

    async def _with_content(self, body: Body) -> Body:
        if body.staged is None:
            return body
        file, _ = self._finished.get(body.staged, (None, 0.0))
        if file is None:
            raise TemporaryFailure(_GONE)
        content: bytes = await self.in_thread(_read, file)
        return replace(body, content=content, staged=None)

    def _sweep(self) -> None:
        now = self.reactor.seconds()
        for name in [name for name, (_, when) in self._finished.items() if now - when > STAGED_SECONDS]:
            self.forget(name)


def is_large(bodies: Sequence[Body]) -> bool:
    """Whether these have to wait until there is room for them in memory."""
    return any(body.staged is not None and body.size > INLINE_BODY_OCTETS for body in bodies)


@implementer(IBodyWriter)
class _BodyWriter:
    """Writes the pieces of one body."""

    def __init__(self, staging: Staging) -> None:
        self._staging = staging
        self._file: IO[bytes] | None = None
        self._is_open = True
        self._size = 0
        self._name: str | None = None
        self._turn = DeferredLock()  # pieces are written in order, though nobody waits

    @returns_deferred
    async def write(self, data: bytes) -> None:
        """See IBodyWriter. Fails with TemporaryFailure after the end or an abort, and where the disk is full."""
        self._size += len(data)
        async with self._turn:
            self._check_open()
            self._file = await self._staging.in_thread(_write, self._staging.folder, self._file, data)
            if not self._is_open:
                self._close()

    @returns_deferred
    async def finish(self, header_size: int, eight_bit: bool) -> Body:
        """See IBodyWriter. Fails as `write`."""
        async with self._turn:
            self._check_open()
            self._is_open = False
            file, self._file = self._file, None
            self._name = self._staging.keep(
                file or await self._staging.in_thread(_write, self._staging.folder, None, b"")
            )
        return Body(self._size, header_size, staged=self._name, eight_bit=eight_bit)

    def abort(self) -> None:
        """See IBodyWriter. A body that a transaction has used stays there."""
        self._is_open = False
        if not self._turn.locked:
            self._close()
        if self._name is not None:
            self._staging.forget(self._name)

    def _check_open(self) -> None:
        if not self._is_open:
            raise TemporaryFailure(_GIVEN_UP)

    def _close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


def _write(folder: Path | None, file: IO[bytes] | None, data: bytes) -> IO[bytes]:
    try:
        file = TemporaryFile(dir=folder) if file is None else file  # noqa: SIM115  closed by who writes
        file.write(data)
    except OSError as error:
        raise TemporaryFailure("there is no room for the message now") from error
    return file


def _read(file: IO[bytes]) -> bytes:
    try:
        file.seek(0)
        return file.read()
    except (OSError, ValueError) as error:  # ValueError: it was given up meanwhile, and closed
        raise TemporaryFailure(_GONE) from error
