"""
The two ways in which an engine can be wronged: by the peer, and by its own driver.

A violation that a session survives is an event with its reply; the exception is for what a grammar's inner
functions find, and it does not leave `wire`.
"""

from __future__ import annotations


class ProtocolViolation(Exception):
    """The peer broke the grammar. `text` says how, in words that the peer may be told."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


class LineTooLong(ProtocolViolation):
    """A line is longer than the protocol allows. The buffer skips to its end."""


class MisuseError(Exception):
    """The driver called an engine out of turn: a bug of ours."""
