"""
Message flags as interned values.

Sources: RFC 3501 §2.3.2 and RFC 9051 §2.3.2 (system flags and keywords; names are compared without case).
`\\Recent` is no flag of a message but of a session, and does not appear here.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum, IntFlag
from functools import lru_cache

from .errors import PermanentFailure

# Our own bounds, ten times what any client uses.
MAX_KEYWORDS = 128
MAX_KEYWORD_OCTETS = 255


class SystemFlag(IntFlag):
    """The system flags that a message keeps, as bits of one integer column."""

    SEEN = 1
    ANSWERED = 2
    FLAGGED = 4
    DELETED = 8
    DRAFT = 16


SYSTEM_BITS = sum(SystemFlag)
"""All of them."""


_NAMES = {
    SystemFlag.ANSWERED: "\\Answered",
    SystemFlag.FLAGGED: "\\Flagged",
    SystemFlag.DELETED: "\\Deleted",
    SystemFlag.SEEN: "\\Seen",
    SystemFlag.DRAFT: "\\Draft",
}
_BITS = {name.lower(): flag for flag, name in _NAMES.items()}


class FlagChange(Enum):
    """What STORE does with the flags it names. Source: RFC 3501 §6.4.6."""

    REPLACE = "FLAGS"
    ADD = "+FLAGS"
    REMOVE = "-FLAGS"


class Flags:
    """
    An immutable set of flags: system flags as bits, keywords as a sorted tuple of names.

    Equal sets are one object while the cache holds them, so a column of flags costs a pointer a row. `wire` is
    the rendered list without parentheses, `\\Seen $Forwarded`, made once. Keywords keep the spelling they came
    with and are equal without case.
    """

    __slots__ = ("bits", "keywords", "wire")

    bits: int
    keywords: tuple[str, ...]
    wire: bytes

    def __init__(self, bits: int = 0, keywords: Iterable[str] = ()) -> None:
        by_name = {keyword.lower(): keyword for keyword in keywords}
        self.bits = int(bits)
        self.keywords = tuple(by_name[name] for name in sorted(by_name))
        names = [name for flag, name in _NAMES.items() if self.bits & flag]
        self.wire = " ".join([*names, *self.keywords]).encode("ascii")

    @classmethod
    def from_names(cls, names: Iterable[str]) -> Flags:
        """
        Build from wire names. `\\Recent` and unknown system flags are refused.

        Raises: ValueError: a name begins with a backslash and is none of the five system flags.
        """
        bits, keywords = 0, []
        for name in names:
            if name.startswith("\\"):
                if name.lower() not in _BITS:
                    raise ValueError(f"not a flag that can be set: {name}")
                bits |= _BITS[name.lower()]
            else:
                keywords.append(name)
        return _interned(bits, keywords)

    def changed(self, change: FlagChange, by: Flags) -> Flags:
        """The set after a STORE of `by`. Raises PermanentFailure: it would have more than MAX_KEYWORDS."""
        if change is FlagChange.REPLACE:
            return by
        named = {keyword.lower() for keyword in by.keywords}
        if change is FlagChange.ADD:
            mine = {keyword.lower() for keyword in self.keywords}
            added = [keyword for keyword in by.keywords if keyword.lower() not in mine]
            if len(mine) + len(added) > MAX_KEYWORDS:
                raise PermanentFailure(f"a message has {MAX_KEYWORDS} keywords at most")
            return _interned(self.bits | by.bits, [*self.keywords, *added])
        kept = [keyword for keyword in self.keywords if keyword.lower() not in named]
        return _interned(self.bits & ~by.bits, kept)

    def has_keyword(self, keyword: str) -> bool:
        """Whether the keyword is set, compared without case."""
        wanted = keyword.lower()
        return any(mine.lower() == wanted for mine in self.keywords)

    @property
    def keyword_text(self) -> str:
        """The keywords as one text column: names parted by a space, sorted without case."""
        return " ".join(self.keywords)

    @property
    def seen(self) -> bool:
        """Whether \\Seen is set."""
        return bool(self.bits & SystemFlag.SEEN)

    @property
    def deleted(self) -> bool:
        """Whether \\Deleted is set."""
        return bool(self.bits & SystemFlag.DELETED)

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, Flags) and self._identity() == other._identity())

    def __hash__(self) -> int:
        return hash(self._identity())

    def _identity(self) -> tuple[int, str]:
        return self.bits, self.keyword_text.lower()

    def __repr__(self) -> str:
        return f"Flags({self.wire.decode()})"


@lru_cache(maxsize=4096)
def flags_of(bits: int, keyword_text: str = "") -> Flags:
    """The interned flags for a row's two columns: the bits, and the keywords parted by spaces."""
    return Flags(bits, keyword_text.split())


def _interned(bits: int, keywords: Iterable[str]) -> Flags:
    return flags_of(bits, " ".join(sorted(keywords, key=str.lower)))


NO_FLAGS = flags_of(0)
