"""
What the name of a file in a Maildir tells of its message.

A name is a base, which stays, and an info, which changes with the flags: `base:2,FS`. Sources: D. J. Bernstein's
maildir(5) (names, system flags), Dovecot's documentation of its Maildir format (small letters for keywords, `S=` and
`W=` for sizes). Not decided here: where the file lies, and what a folder is called.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from .flags import MAX_KEYWORD_OCTETS, MAX_KEYWORDS, Flags, SystemFlag, flags_of

FORWARDED = "$Forwarded"
MAX_LETTERS = 26
"""Keywords that a folder's names can tell; those beyond are known to the index alone."""

_BITS = {
    "D": SystemFlag.DRAFT,
    "F": SystemFlag.FLAGGED,
    "R": SystemFlag.ANSWERED,
    "S": SystemFlag.SEEN,
    "T": SystemFlag.DELETED,
}
# ":" is what everybody writes but programs on file systems that have no such names.
_INFO = re.compile(rb"[:;!]2,([^:;!]*)\Z")
_MBSYNC_UID = re.compile(rb",U=\d+(?=,|\Z)")
_SIZES = re.compile(rb",([SW])=(\d{1,18})(?=[,:;!]|\Z)")
# RFC 3501 §9: an atom, without the backslash of system flags.
_KEYWORD = re.compile(r"[^\x00-\x20\x7f-\uffff\U00010000-\U0010ffff(){%*\"\\\]]+\Z")


class Name(NamedTuple):
    """A file's name in two: the base, and all from the info on (empty where there is none)."""

    base: bytes
    info: bytes


class Sizes(NamedTuple):
    """What a base tells of the file's octets, and of them with CRLF line ends; None where it does not."""

    stored: int | None
    on_wire: int | None


def parted(file_name: bytes) -> Name:
    """The name in its two parts."""
    found = _INFO.search(file_name)
    return Name(file_name, b"") if found is None else Name(file_name[: found.start()], file_name[found.start() :])


def stem_of(base: bytes) -> bytes:
    """The base without the UID that mbsync writes into it, and takes out of it again."""
    return _MBSYNC_UID.sub(b"", base)


def sizes_in(base: bytes) -> Sizes:
    """The sizes that the base tells."""
    told = {letter: int(digits) for letter, digits in _SIZES.findall(base)}
    return Sizes(told.get(b"S"), told.get(b"W"))


def flags_in(info: bytes, letters: Mapping[str, str]) -> Flags:
    """The flags that an info tells; `letters` says which keyword a small letter stands for."""
    found = _INFO.search(info)
    bits, keywords = 0, list[str]()
    for letter in found[1].decode("ascii", "replace").partition(",")[0] if found else "":
        bits |= _BITS.get(letter, 0)
        if letter == "P":
            keywords.append(FORWARDED)
        elif letter in letters:
            keywords.append(letters[letter])
    by_name = {keyword.lower(): keyword for keyword in keywords if is_keyword(keyword)}
    return flags_of(bits, " ".join(by_name[name] for name in sorted(by_name)[:MAX_KEYWORDS]))


def info_of(flags: Flags, letters: Mapping[str, str]) -> bytes:
    """
    The info that tells the flags. A keyword that no letter stands for is left out.

    A forwarded message is told both ways: by maildir(5)'s own letter, and as the keyword that Dovecot makes of it.
    """
    by_keyword = {keyword.lower(): letter for letter, keyword in letters.items()}
    found = {letter for letter, bit in _BITS.items() if flags.bits & bit}
    for keyword in map(str.lower, flags.keywords):
        if keyword in by_keyword:
            found.add(by_keyword[keyword])
        if keyword == FORWARDED.lower():
            found.add("P")
    return b":2," + "".join(sorted(found)).encode()


def is_keyword(text: str) -> bool:
    """Whether IMAP could tell of a keyword of this name."""
    return bool(_KEYWORD.match(text)) and len(text) <= MAX_KEYWORD_OCTETS


def unlettered(keywords: Iterable[str], letters: Mapping[str, str]) -> list[str]:
    """Those of the keywords that no letter stands for."""
    known = {keyword.lower() for keyword in letters.values()}
    return [keyword for keyword in keywords if keyword.lower() not in known]


def with_letters(letters: Mapping[str, str], keywords: Iterable[str]) -> dict[str, str]:
    """The letters, and one more for each of these keywords while there are any left."""
    more = dict(letters)
    free = (chr(ord("a") + number) for number in range(MAX_LETTERS) if chr(ord("a") + number) not in letters)
    for keyword in unlettered(keywords, letters):
        letter = next(free, None)
        if letter is None:
            break
        more[letter] = keyword
    return more
