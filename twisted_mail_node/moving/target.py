"""
What a place that mail goes to can do: take mailboxes, one after the other, and their messages.

What is there already of an earlier time is not written again; so an export that was cut off is simply made again.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from .shelf import ShelvedMailbox, ShelvedMessage
from .source import Pieces


class CannotWrite(Exception):
    """The target can't take the mail; the text says why."""


@contextmanager
def names_that_fit() -> Iterator[None]:
    """Make CannotWrite of a name that is too long for the file system."""
    try:
        yield
    except OSError as error:
        if error.errno != errno.ENAMETOOLONG:
            raise
        raise CannotWrite("its name is too long for the file system") from error


class MailboxWriter(Protocol):
    """Takes the messages of one mailbox, ascending by UID. Raises OSError."""

    @property
    def remarks(self) -> list[str]:
        """What could not be written as it was."""

    def add(self, message: ShelvedMessage, pieces: Pieces) -> bool:
        """
        Write a message, whose octets `pieces` opens. Whether it was not there already.

        What `pieces` raises is raised, and nothing of the message is left.
        """

    def finish(self) -> None:
        """All messages were given."""


class Target(Protocol):
    """Where mail goes. Raises CannotWrite, OSError."""

    def open(self, mailbox: ShelvedMailbox) -> MailboxWriter:
        """Begin a mailbox."""

    def finish(self) -> None:
        """All mailboxes were written."""
