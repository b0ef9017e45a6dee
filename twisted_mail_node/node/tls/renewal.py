"""
Certificates are renewed while the node runs: their files are looked at now and then, and read when they have changed.

A renewal writes several files, one after the other. What has changed is read once it is the same at two looks; where
the certificate is new and its key still the old one, what was loaded before stays in use, which is told once, until
the two fit. Nothing of this takes the node down.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

from ..errors import CannotStart
from .expiry import Expiry
from .server import ServerTLS

LOOK_SECONDS = 10.0
"""How often the files are looked at: it costs some microseconds for each, and a renewal has weeks."""

TICKET_KEY_SECONDS = 6 * 3600.0
"""For how long session tickets are sealed with the same keys; who learns them reads what was sealed meanwhile."""

# Of each file: its device, inode, size and time of change; None where there is none.
Signature = Sequence[tuple[int, int, int, int] | None]


class Renewal:
    """Looks after the certificates of one node, from `start` to `stop`."""

    _log = Logger()

    def __init__(self, clock: IReactorTime, tls: ServerTLS) -> None:
        self._clock = clock
        self._tls = tls
        self._expiry = Expiry()
        self._read: Signature = ()
        self._seen: Signature = ()
        self._told = ""
        self._tickets_renewed = 0.0
        self._timer: IDelayedCall | None = None

    def start(self) -> None:
        """Look from now on."""
        self._read = self._seen = self._signature()
        self._tickets_renewed = self._clock.seconds()
        self._tell_expiry()
        self._arm()

    def stop(self) -> None:
        """Look no more."""
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()

    def reload(self) -> None:
        """
        Read the files now, as the operator wants.

        Raises: CannotStart: they can't be used; what was loaded before stays.
        """
        self._read = self._seen = self._signature()
        self._load()

    def _load(self) -> None:
        self._tls.reload()
        self._told = ""
        self._tickets_renewed = self._clock.seconds()
        for pair in self._tls.pairs:
            names = ", ".join(pair.names) or "no host name"
            self._log.info(
                "the certificate {path} was read again: {kind}, for {names}, until {until}",
                path=str(pair.path), kind=pair.kind, names=names, until=f"{pair.expires:%Y-%m-%d}",
            )  # fmt: skip
        self._tell_expiry()

    def _arm(self) -> None:
        self._timer = self._clock.callLater(LOOK_SECONDS, self._look)

    def _look(self) -> None:
        self._arm()
        now = self._signature()
        is_settled, self._seen = now == self._seen, now
        if now != self._read and is_settled:
            self._read = now
            self._try(self._load)
        elif self._clock.seconds() - self._tickets_renewed >= TICKET_KEY_SECONDS:
            self._tickets_renewed = self._clock.seconds()
            self._try(self._tls.renew_tickets)
        self._tell_expiry()

    def _try(self, step: Callable[[], None]) -> None:
        try:
            step()
        except CannotStart as error:
            if str(error) != self._told:
                self._told = str(error)
                self._log.error("{reason}; the certificates read before stay in use", reason=self._told)

    def _tell_expiry(self) -> None:
        for warning in self._expiry.due(self._tls.pairs, datetime.fromtimestamp(self._clock.seconds(), UTC)):
            self._log.warn("{warning}", warning=warning)

    def _signature(self) -> Signature:
        return [_signature_of(path) for path in self._tls.files]


def _signature_of(path: Path) -> tuple[int, int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns
