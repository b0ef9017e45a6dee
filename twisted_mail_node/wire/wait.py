"""Why an engine has no event to give."""

from __future__ import annotations

from enum import Enum, auto


class Wait(Enum):
    """Returned by an engine's `next_event` in place of an event."""

    NEED_DATA = auto()
    """No whole event is buffered: feed more octets."""

    PAUSED = auto()
    """An earlier event still waits for its answer, or the session is over."""
