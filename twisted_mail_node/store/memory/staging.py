"""Bodies on their way in: written in pieces before their transaction, or given with it."""

from __future__ import annotations

from collections.abc import Iterable

from zope.interface import implementer

from ...interfaces.store import IBodyWriter
from ...mail.errors import TemporaryFailure
from ...mail.transaction import Body
from ..identity import new_guid
from .answers import Life, answered
from .content import StoredBody

# A finished body that no transaction took for this long is swept: far longer than any transaction waits.
STAGED_SECONDS = 3600.0


class BodySource:
    """Makes stored bodies of what transactions bring, and keeps finished staged ones until then."""

    def __init__(self, life: Life) -> None:
        self._life = life
        self._staged: dict[str, tuple[bytes, float]] = {}
        self._next_body_id = 1

    def writer(self) -> IBodyWriter:
        """A writer for a staged body."""
        self._sweep()
        return _BodyWriter(self, self._life)

    def stage(self, content: bytes) -> str:
        """Keep a finished body. Returns: its name."""
        name = new_guid()
        self._staged[name] = (content, self._life.now)
        return name

    def forget(self, name: str) -> None:
        """A staged body was given up, or used."""
        self._staged.pop(name, None)

    def bodies(self, wanted: Iterable[Body]) -> list[StoredBody]:
        """
        What these bodies are to be stored as. Staged ones stay until `used` is told.

        Raises: TemporaryFailure: a staged body is gone.
        """
        return [self._stored(body) for body in wanted]

    def used(self, bodies: Iterable[Body]) -> None:
        """A transaction with these bodies has been carried out."""
        for body in bodies:
            if body.staged is not None:
                self.forget(body.staged)

    def _stored(self, body: Body) -> StoredBody:
        content = body.content
        if content is None:
            if body.staged not in self._staged:
                raise TemporaryFailure("the staged message is gone")
            content = self._staged[body.staged][0]
        stored = StoredBody(self._next_body_id, content, body)
        self._next_body_id += 1
        return stored

    def _sweep(self) -> None:
        while self._staged:
            name, (_, when) = next(iter(self._staged.items()))
            if self._life.now - when <= STAGED_SECONDS:
                return
            del self._staged[name]


@implementer(IBodyWriter)
class _BodyWriter:
    """Collects the pieces of one body."""

    def __init__(self, source: BodySource, life: Life) -> None:
        self.life = life
        self._source = source
        self._pieces: list[bytes] | None = []
        self._name: str | None = None

    @answered
    def write(self, data: bytes) -> None:
        """See IBodyWriter. Fails with TemporaryFailure after the end or an abort."""
        self._open_pieces.append(data)

    @answered
    def finish(self, header_size: int, eight_bit: bool) -> Body:
        """See IBodyWriter. Fails as `write`."""
        content = b"".join(self._open_pieces)
        self._pieces = None
        self._name = self._source.stage(content)
        return Body(len(content), header_size, staged=self._name, eight_bit=eight_bit)

    def abort(self) -> None:
        """See IBodyWriter. A body that a transaction has used stays there."""
        self._pieces = None
        if self._name is not None:
            self._source.forget(self._name)

    @property
    def _open_pieces(self) -> list[bytes]:
        if self._pieces is None:
            raise TemporaryFailure("the message was finished or given up")
        return self._pieces
