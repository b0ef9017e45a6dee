"""What was read of a directory, kept while the directory stays the same: who polls costs it no question."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

from twisted.internet.defer import Deferred, succeed

from ..interfaces.deferred import returns_deferred
from ..interfaces.store import IDirectory

T = TypeVar("T")

MOST_KEPT = 10_000
"""Our own bound, for each kind of what is read; the least recently used is forgotten first."""


class Kept(Generic[T]):
    """
    Answers about names, under the directory's version.

    Args:
        directory: has the version.
        read: asks the directory about a name.
        at_most: how many answers are kept.
    """

    def __init__(self, directory: IDirectory, read: Callable[[str], Deferred[T]], at_most: int = MOST_KEPT) -> None:
        self._directory = directory
        self._read = read
        self._at_most = at_most
        self._answers: OrderedDict[str, T] = OrderedDict()
        self._version = -1

    def get(self, name: str) -> Deferred[T]:
        """Fires with the answer. Fails as `read` does."""
        version = self._directory.version
        if version != self._version:
            self._answers.clear()
            self._version = version
        if name in self._answers:
            self._answers.move_to_end(name)
            return succeed(self._answers[name])
        return self._ask(name, version)

    @returns_deferred
    async def _ask(self, name: str, version: int) -> T:
        answer = await self._read(name)
        if self._directory.version == version == self._version:
            self._answers[name] = answer
            if len(self._answers) > self._at_most:
                self._answers.popitem(last=False)
        return answer
