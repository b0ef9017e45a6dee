"""
Names in a Maildir: what a file's name tells of its message, and a folder's of its mailbox.

Sources: D. J. Bernstein's maildir(5) (names and flags), Courier's Maildir++ (folders), Dovecot's documentation of its
Maildir format (keywords, sizes in names).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ...mail.columns import InternalDate
from ...mail.flags import Flags, SystemFlag
from ...wire.imap.mailbox_name import decode_text, encode
from ..keywords import usable_flags

_DOT = "&AC4-"
FORWARDED = "$Forwarded"
MAX_LETTER_KEYWORDS = 26

_BITS = {
    "D": SystemFlag.DRAFT,
    "F": SystemFlag.FLAGGED,
    "R": SystemFlag.ANSWERED,
    "S": SystemFlag.SEEN,
    "T": SystemFlag.DELETED,
}
# ":" is what everybody writes but programs on file systems that have no such names.
_info = re.compile(rb"[:;!]2,([^:;!]*)\Z")
_ours = re.compile(rb"(-?\d+)\.G([0-9a-f]{32})Z([+-]\d{1,4})\.mailnode(?:,S=(\d+))?\Z")


def base_of(file_name: bytes) -> bytes:
    """The part of a message's file name that stays while flags change."""
    found = _info.search(file_name)
    return file_name[: found.start()] if found else file_name


def flags_of(file_name: bytes, keywords: Mapping[str, str]) -> Flags:
    """The flags that a file's name tells; `keywords` says what small letters stand for."""
    found = _info.search(file_name)
    letters = found[1].decode("ascii", "replace").partition(",")[0] if found else ""
    bits = 0
    for letter in letters:
        bits |= _BITS.get(letter, 0)
    named = [keywords[letter] for letter in letters if letter in keywords]
    return usable_flags(bits, [*named, FORWARDED] if "P" in letters else named)


def file_name_of(base: bytes, flags: Flags, letters: Mapping[str, str]) -> bytes:
    """The name of a message's file with its flags; `letters` has the small letter of each keyword, in lower case."""
    found = [letter for letter, bit in _BITS.items() if flags.bits & bit]
    for keyword in map(str.lower, flags.keywords):
        # "P" is what notmuch and others know; Dovecot has a keyword for it as for any other.
        if keyword == FORWARDED.lower():
            found.append("P")
        if keyword in letters:
            found.append(letters[keyword])
    return base + b":2," + "".join(sorted(found)).encode()


@dataclass(frozen=True, slots=True)
class OwnName:
    """What a file name that this node gave tells. `size` is that of the file."""

    guid: bytes
    internal_date: InternalDate
    size: int | None

    def base(self) -> bytes:
        """The name without flags."""
        return own_begin(self.guid, self.internal_date) + b".mailnode,S=%d" % (self.size or 0)


def own_begin(guid: bytes, internal_date: InternalDate) -> bytes:
    """How a file name of this node begins, whatever the size and the flags of the message."""
    return b"%d.G%sZ%+d" % (internal_date.unix_seconds, guid.hex().encode(), internal_date.zone_minutes)


def own_name(base: bytes) -> OwnName | None:
    """What the name tells, if this node gave it."""
    found = _ours.match(base)
    if not found:
        return None
    date = InternalDate(int(found[1]), int(found[3]))
    return OwnName(bytes.fromhex(found[2].decode()), date, int(found[4]) if found[4] else None)


def levels_of(folder: str) -> list[str]:
    """The levels of a mailbox whose Maildir++ folder is called so, its first dot taken off."""
    return [decoded_level(level) for level in folder.split(".")]


def decoded_level(written: str) -> str:
    """A level of a name out of modified UTF-7, or as it is where it is none; octets that are no UTF-8 become "?"."""
    return ".".join(_decoded(part) for part in written.split(_DOT))


def _decoded(written: str) -> str:
    octets = written.encode("utf-8", "surrogateescape")
    decoded = decode_text(octets)
    return octets.decode("utf-8", "replace").replace("\ufffd", "?") if decoded is None else decoded


def encoded_level(level: str) -> str:
    """
    A level of a name as it stands in a folder's. A dot in it is shifted, which modified UTF-7 knows but does not do:
    it would end the level.
    """
    return _DOT.join(encode(part).decode("ascii") for part in level.split("."))


def folder_of(levels: Sequence[str]) -> str:
    """The Maildir++ folder of a mailbox: `.A.B`."""
    return "".join("." + encoded_level(level) for level in levels)
