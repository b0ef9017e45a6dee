"""
Which names a LIST gives, and why. Pure: made of the mailboxes there are, what is subscribed, and what is asked.

A name that exists only because others are below it is in the tree like any other. Sources: RFC 5258 §3, §3.1, §3.3,
§3.5; RFC 9051 §6.3.9.1, §6.3.9.3, §6.3.9.6; RFC 6154 §2. Neighbours: `wire.imap.list_pattern` matches; `list` writes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import NamedTuple

from ...mail.changes import MailboxInfo
from ...mail.mailbox_name import listing_key, parents
from ...wire.imap.commands import ListSelection
from ...wire.imap.list_pattern import ListPattern

# What narrows: the others widen (REMOTE, of which there are none here), or say how to take these.
_CRITERIA = (ListSelection.SUBSCRIBED, ListSelection.SPECIAL_USE)


class Listed(NamedTuple):
    """
    A name to be listed; `info` is None where no mailbox has it.

    `selected` is false for a name that stands only for those below it which `child_info`, the criteria, is about.
    """

    name: str
    info: MailboxInfo | None
    has_children: bool
    subscribed: bool
    selected: bool
    child_info: tuple[str, ...]


class Tree:
    """
    The names of an account: mailboxes, the levels above them, and what is subscribed (empty where nobody asks).

    Whether a name has children is about mailboxes, not about subscriptions.
    """

    def __init__(self, mailboxes: Iterable[MailboxInfo], subscribed: Collection[str] = ()) -> None:
        self._mailboxes = {info.name: info for info in mailboxes}
        self._above = {parent for name in self._mailboxes for parent in parents(name)}
        self._subscribed = subscribed

    def listed(self, patterns: Sequence[ListPattern], selection: frozenset[ListSelection]) -> Iterator[Listed]:
        """The names that match a pattern and are selected, or stand for others that are (RECURSIVEMATCH)."""
        criteria = [criterion for criterion in _CRITERIA if criterion in selection]
        selected = self._selected(criteria)
        above: set[str] = set()  # names that have selected ones below them
        standing: set[str] = set()  # those of them that have one below them which is not listed itself
        if ListSelection.RECURSIVE_MATCH in selection:
            for name in selected:
                above.update(parents(name))
                if not _matches(patterns, name):
                    standing.update(parents(name))
        told = tuple(criterion.value for criterion in criteria)
        for name in sorted(selected | standing, key=listing_key):
            if _matches(patterns, name):
                yield self.of(name, name in selected, told if name in above else ())

    def of(self, name: str, selected: bool = True, child_info: tuple[str, ...] = ()) -> Listed:
        """What is told of this name."""
        return Listed(
            name, self._mailboxes.get(name), name in self._above, name in self._subscribed, selected, child_info
        )

    def _selected(self, criteria: Sequence[ListSelection]) -> set[str]:
        """The names that fulfil all criteria, whatever the patterns."""
        if ListSelection.SUBSCRIBED in criteria:
            names = set(self._subscribed)
        else:
            names = self._mailboxes.keys() | self._above
        if ListSelection.SPECIAL_USE in criteria:
            return {name for name in names if (info := self._mailboxes.get(name)) and info.special_use}
        return names


def _matches(patterns: Sequence[ListPattern], name: str) -> bool:
    return any(pattern.matches(name) for pattern in patterns)
