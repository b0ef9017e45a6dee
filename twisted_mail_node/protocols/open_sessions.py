"""The sessions of a factory that are connected, so that they can be ended when the node stops."""

from __future__ import annotations

from typing import Protocol

from twisted.internet.defer import Deferred, succeed


class Ending(Protocol):
    """A session that can be told to end."""

    def end(self) -> None:
        """Tell the client and close, once an answer that is being thought of has been given."""


class OpenSessions:
    """A set of sessions, and the wait until it is empty."""

    def __init__(self) -> None:
        self._sessions: set[Ending] = set()
        self._waiting: list[Deferred[None]] = []
        self._ending = False

    def __len__(self) -> int:
        return len(self._sessions)

    def add(self, session: Ending) -> None:
        """A session is connected. After `end_all` it is ended at once."""
        self._sessions.add(session)
        if self._ending:
            session.end()

    def remove(self, session: Ending) -> None:
        """A session's connection is gone."""
        self._sessions.discard(session)
        if not self._sessions:
            waiting, self._waiting = self._waiting, []
            for empty in waiting:
                empty.callback(None)

    def end_all(self) -> Deferred[None]:
        """End all sessions. Fires when their connections are gone; cancelling gives the wait up."""
        self._ending = True
        for session in tuple(self._sessions):
            session.end()
        if not self._sessions:
            return succeed(None)
        empty: Deferred[None] = Deferred(self._waiting_given_up)
        self._waiting.append(empty)
        return empty

    def _waiting_given_up(self, empty: Deferred[None]) -> None:
        if empty in self._waiting:
            self._waiting.remove(empty)
