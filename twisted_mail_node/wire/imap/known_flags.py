"""
Which flags of a selected mailbox the client knows by name: the system flags, and keywords once it was told of them.

Source: RFC 3501 §7.2.6 (FLAGS). Neighbour: `view` tells what is new here, before anything that gives it.
"""

from __future__ import annotations

from collections.abc import Iterable

from ...mail.flags import SYSTEM_BITS, Flags

# Different sets of flags that are remembered as told.
_REMEMBERED = 1000


class KnownFlags:
    """
    What one client was told of.

    Attributes: `flags`, the system flags, and every keyword that it was told of; `remembered`, by id, sets of flags
    whose keywords are all among those.
    """

    __slots__ = ("flags", "remembered")

    def __init__(self, keywords: Iterable[str]) -> None:
        self.flags = Flags(SYSTEM_BITS, keywords)
        self.remembered: dict[int, Flags] = {}

    def add(self, flags: Iterable[Flags]) -> bool:
        """Take in the keywords of these sets. Returns whether some were not known before."""
        sets = {id(each): each for each in flags}
        if not sets.keys() - self.remembered.keys():
            return False
        if len(self.remembered) > _REMEMBERED:
            self.remembered.clear()
        self.remembered.update(sets)
        known = {keyword.lower() for keyword in self.flags.keywords}
        new = {keyword.lower(): keyword for each in sets.values() for keyword in each.keywords}
        added = [keyword for name, keyword in new.items() if name not in known]
        if added:
            self.flags = Flags(SYSTEM_BITS, [*self.flags.keywords, *added])
        return bool(added)
