"""What the operator can ask of a running node's certificates: which are in use, and that they are read again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..errors import CannotStart
from ..tls import Renewal, ServerTLS
from ..tls.files import Pair
from .operations import JSON, Arguments, Operation, Refusal


class Certificates:
    """The operations `certificate.list` and `certificate.reload`."""

    def __init__(self, tls: ServerTLS, renewal: Renewal) -> None:
        self._tls = tls
        self._renewal = renewal

    @property
    def by_name(self) -> Mapping[str, Operation]:
        """The operations."""
        return {"certificate.list": self._list, "certificate.reload": self._reload}

    async def _list(self, _: Arguments) -> JSON:
        return told_of(self._tls.pairs)

    async def _reload(self, _: Arguments) -> JSON:
        try:
            self._renewal.reload()
        except CannotStart as error:
            raise Refusal(f"{error}; the certificates read before stay in use") from error
        return told_of(self._tls.pairs)


def told_of(pairs: Sequence[Pair]) -> JSON:
    """What is told of each certificate, the first one first."""
    return [
        {
            "file": str(pair.path),
            "kind": pair.kind,
            "names": list(pair.names),
            "expires": pair.expires.isoformat(timespec="seconds"),
        }
        for pair in pairs
    ]
