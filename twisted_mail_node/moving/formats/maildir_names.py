"""
Names in a Maildir: what a file's name tells of its message, and a folder's of its mailbox.

Source: Courier's Maildir++ (folders). Neighbours: `mail.maildir_name` for what is the same for every program.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ...mail.columns import InternalDate
from ...mail.flags import Flags
from ...mail.maildir_name import flags_in, info_of, parted
from ...wire.imap.mailbox_name import decode_text, encode

_DOT = "&AC4-"
_ours = re.compile(rb"(-?\d+)\.G([0-9a-f]{32})Z([+-]\d{1,4})\.mailnode(?:,S=(\d+))?\Z")


def base_of(file_name: bytes) -> bytes:
    """The part of a message's file name that stays while flags change."""
    return parted(file_name).base


def flags_of(file_name: bytes, keywords: Mapping[str, str]) -> Flags:
    """The flags that a file's name tells; `keywords` says what small letters stand for."""
    return flags_in(parted(file_name).info, keywords)


def file_name_of(base: bytes, flags: Flags, keywords: Mapping[str, str]) -> bytes:
    """The name of a message's file with its flags; `keywords` says what small letters stand for."""
    return base + info_of(flags, keywords)


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
