"""The annotations of one account and of its mailboxes. What is taken away leaves a mark, by which it can be told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from ...mail.annotation import Annotation, owner_of
from ...mail.errors import TooManyAnnotations

# Our own bound on the marks: sessions ask within moments.
TOLD_MARKS = 1000


class _Key(NamedTuple):
    mailbox_id: int
    owner: str
    name: str


class AnnotationContents:
    """What one account has; see IMetadata. Everything happens at once."""

    def __init__(self) -> None:
        # The value, None for a mark, and the modseq; the one that was set last is at the end.
        self._rows: dict[_Key, tuple[bytes | None, int]] = {}

    def seen(self, mailbox_id: int, user: str) -> dict[str, bytes]:
        """Values by name, of what the user sees."""
        return {
            key.name: value
            for key, (value, _) in self._rows.items()
            if key.mailbox_id == mailbox_id and key.owner in ("", user) and value is not None
        }

    def changed(self, user: str, since: int) -> dict[tuple[int, str], int]:
        """See AnnotationChanges."""
        return {
            (key.mailbox_id, key.name): modseq
            for key, (_, modseq) in self._rows.items()
            if modseq > since and key.owner in ("", user)
        }

    def every_one(self, mailbox_id: int) -> list[Annotation]:
        """Whosever they are."""
        return [
            Annotation(key.name, key.owner, value)
            for key, (value, _) in sorted(self._rows.items())
            if key.mailbox_id == mailbox_id and value is not None
        ]

    def check(self, mailbox_id: int, user: str, values: Mapping[str, bytes | None], most: int) -> None:
        """Raises: TooManyAnnotations: were these set, there would be."""
        for owner in ("", user):
            before = {
                key.name
                for key, (value, _) in self._rows.items()
                if (key.mailbox_id, key.owner) == (mailbox_id, owner) and value is not None
            }
            theirs = {name: value for name, value in values.items() if owner_of(name, user) == owner}
            after = (before | theirs.keys()) - {name for name, value in theirs.items() if value is None}
            if len(before) < len(after) > most:
                raise TooManyAnnotations(f"there may be {most} annotations, not {len(after)}")

    def set(self, mailbox_id: int, user: str, values: Mapping[str, bytes | None], modseq: int) -> None:
        """Set or take away."""
        for name, value in sorted(values.items()):
            self._put(_Key(mailbox_id, owner_of(name, user), name), value, modseq)
        marks = [key for key, (value, _) in self._rows.items() if value is None]
        for key in marks[:-TOLD_MARKS]:
            del self._rows[key]

    def _put(self, key: _Key, value: bytes | None, modseq: int) -> None:
        self._rows.pop(key, None)
        self._rows[key] = (value, modseq)

    def copied(self, source: int, target: int, modseq: int) -> None:
        """The target has the same annotations as the source."""
        for key, (value, _) in list(self._rows.items()):
            if key.mailbox_id == source and value is not None:
                self._put(key._replace(mailbox_id=target), value, modseq)

    def mailbox_gone(self, mailbox_id: int) -> None:
        """A mailbox was deleted."""
        self._rows = {key: row for key, row in self._rows.items() if key.mailbox_id != mailbox_id}

    def user_gone(self, user: str) -> None:
        """The account of a user was removed."""
        self._rows = {key: row for key, row in self._rows.items() if key.owner != user}
