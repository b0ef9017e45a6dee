"""Where a dialogue stands between two commands."""

from __future__ import annotations

from dataclasses import dataclass

from .states import State


@dataclass(slots=True)
class Standing:
    """
    What parsers need to know beside the line itself.

    `user` is the name that waits for its password. `utf8` says that the client has asked for UTF-8 mode.
    """

    state: State = State.AUTHORIZATION
    user: str | None = None
    utf8: bool = False
