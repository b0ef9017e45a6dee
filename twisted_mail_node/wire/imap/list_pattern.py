"""
The patterns of LIST and LSUB: `*` is anything, `%` anything but the delimiter. Source: RFC 3501 §6.3.8.

Matching takes time in proportion to pattern and name, whatever wildcards there are: all ways in which the pattern
may have matched so far are followed at once, as bits of an integer.
"""

from __future__ import annotations

import re

from ...mail.mailbox_name import canonical

_adjacent_wildcards = re.compile(r"[*%]*\*[*%]*|%+")


class ListPattern:
    """
    A pattern made ready for many names, which are canonical. INBOX is matched in any case (RFC 3501 §5.1).

    The pattern is composed as names are, so that it matches what it looks like (RFC 9051 §5.1).
    """

    def __init__(self, pattern: str, delimiter: str = "/") -> None:
        pattern = canonical(pattern)
        # Adjacent wildcards are one: "*" where one of them is it.
        pattern = _adjacent_wildcards.sub(lambda found: "*" if "*" in found[0] else "%", pattern)
        self._delimiter = delimiter
        self._is = _Steps(pattern)
        self._is_inbox = _Steps(pattern.upper())

    def matches(self, name: str) -> bool:
        """Whether the whole name matches."""
        return self._is.match(name, self._delimiter) or (
            name == "INBOX" and self._is_inbox.match(name, self._delimiter)
        )


class _Steps:
    """Bit i set: all before character i of the pattern has matched."""

    def __init__(self, pattern: str) -> None:
        self._literals: dict[str, int] = {}
        self._any = self._level = 0
        for position, character in enumerate(pattern):
            bit = 1 << position
            if character == "*":
                self._any |= bit
            elif character == "%":
                self._level |= bit
            else:
                self._literals[character] = self._literals.get(character, 0) | bit
        self._end = 1 << len(pattern)

    def match(self, name: str, delimiter: str) -> bool:
        wildcards = self._any | self._level
        reached = 1 | (1 & wildcards) << 1
        for character in name:
            staying = reached & (self._any if character == delimiter else wildcards)
            reached = staying | (reached & self._literals.get(character, 0)) << 1
            reached |= (reached & wildcards) << 1  # a wildcard may be nothing
            if not reached:
                return False
        return bool(reached & self._end)
