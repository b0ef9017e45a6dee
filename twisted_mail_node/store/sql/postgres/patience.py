"""
A connection whose server may be silent only for so long.

A machine that is gone without a word is noticed by TCP; a server that stands still (stopped, its disk out of order, its
synchronous standby away) is not, and would keep everybody waiting who has asked for something.
"""

from __future__ import annotations

from time import monotonic
from typing import Any, TypeVar

import psycopg
from psycopg.abc import PQGen

T = TypeVar("T")

SILENT_SECONDS = 60.0
"""Our own bound, well below what clients wait (RFC 5321 §4.5.3.2: ten minutes for the answer to the end of DATA)."""

_CHECK_SECONDS = 0.1


class PatientConnection(psycopg.Connection[Any]):
    """
    It ends when the server has not said a word for `patience` seconds while something was asked of it.

    None: it waits for as long as it takes.
    """

    patience: float | None = None

    # Any: later versions of psycopg have one argument more.
    def wait(self, gen: PQGen[T], interval: float = _CHECK_SECONDS, *more: Any, **named: Any) -> T:
        """See psycopg.Connection. Raises also psycopg.OperationalError: the server is silent."""
        patient = gen if self.patience is None else self._heeding_silence(gen, self.patience)
        return super().wait(patient, interval, *more, **named)

    def _heeding_silence(self, gen: PQGen[T], patience: float) -> PQGen[T]:
        until = monotonic() + patience
        try:
            wanted = next(gen)
            while True:
                ready = yield wanted
                now = monotonic()
                if ready:
                    until = now + patience
                elif now > until:
                    # Ended first: else whoever clears up after this would wait for as long again.
                    self.pgconn.finish()
                    raise psycopg.OperationalError(f"the server has been silent for {patience:g} seconds")
                wanted = gen.send(ready)
        except StopIteration as end:
            result: T = end.value
            return result
