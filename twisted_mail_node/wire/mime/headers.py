"""
Header blocks: where they end, their fields, and the octets of chosen fields.

A line ends with LF, with or without CR before it. A line that begins with a space or tab continues the field
before it, be it empty otherwise. A line without a colon belongs to no field and is passed over.

Source: RFC 5322 §2.2, §4.5 (white space before the colon).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

# More of a header than this is kept in octets, but no longer looked into. A hundred times what is usual.
HEADER_LIMIT_OCTETS = 256 * 1024

_empty_line = re.compile(rb"\n\r?\n").search
_field_matches = re.compile(rb"\n([!-9;-~]+)[ \t]*:([^\n]*(?:\n[ \t][^\n]*)*)").finditer
_name_syntax = re.compile(rb"[!-9;-~]+").fullmatch


class Field(NamedTuple):
    """
    One header field.

    `name` is in lower case, `value` raw: folded, without the colon and the last line end. The field's octets,
    with its line end, are from `start` up to `end` of the block.
    """

    name: bytes
    value: bytes
    start: int
    end: int


def header_size(data: bytes) -> int:
    """How many octets of a message its header block has, the empty line counted in; all of them without one."""
    if data[:2] == b"\r\n":
        return 2
    if data[:1] == b"\n":
        return 1
    found = _empty_line(data)
    return found.end() if found else len(data)


def split_fields(block: bytes) -> list[Field]:
    """The fields of a header block, in order. Looks at the first HEADER_LIMIT_OCTETS."""
    block = b"\n" + block[:HEADER_LIMIT_OCTETS]  # a field begins behind a line end
    size = len(block) - 1
    return [
        Field(match[1].lower(), match[2].rstrip(b"\r"), match.start(), min(match.end(), size))
        for match in _field_matches(block)
    ]


@lru_cache(maxsize=256)
def _pattern(names: frozenset[bytes]) -> re.Pattern[bytes]:
    wanted = b"|".join(re.escape(name) for name in sorted(names))
    return re.compile(rb"\n(" + wanted + rb")[ \t]*:([^\n]*(?:\n[ \t][^\n]*)*)", re.IGNORECASE)


def values_of(block: bytes, names: frozenset[bytes]) -> list[tuple[bytes, bytes]]:
    """
    The (name in lower case, raw value) of fields with these names (in lower case), in order, and no others.

    Faster than `split_fields`: fields that are not wanted cost next to nothing.
    """
    found = _pattern(names).findall(b"\n" + block[:HEADER_LIMIT_OCTETS])
    return [(name.lower(), value) for name, value in found]


def unfold(value: bytes) -> bytes:
    """A raw value in one line: line ends taken out, white space around it too. Source: RFC 5322 §2.2.3."""
    if b"\n" in value:
        value = value.replace(b"\r\n", b"").replace(b"\n", b"")
    return value.strip(b" \t\r")


class FieldChoice:
    """
    The choice of HEADER.FIELDS or HEADER.FIELDS.NOT, made ready for use on many messages.

    Source: RFC 3501 §6.4.5: names are compared without case, fields keep their order and octets, and the
    empty line comes at the end wherever the header has one.
    """

    __slots__ = ("_findall",)

    def __init__(self, names: Iterable[bytes], inverted: bool = False) -> None:
        wanted = b"|".join(re.escape(name) for name in sorted({name.lower() for name in names if _name_syntax(name)}))
        line_rest = rb"[^\n]*(?:\n[ \t][^\n]*)*"
        if inverted and wanted:
            name = rb"(?!(?:" + wanted + rb")[ \t]*:)[!-9;-~]+[ \t]*:"
        elif inverted:
            name = rb"[!-9;-~]+[ \t]*:"
        elif wanted:
            name = rb"(?:" + wanted + rb")[ \t]*:"
        else:
            name = rb"(?!)"
        self._findall = re.compile(rb"\n(" + name + line_rest + rb")", re.IGNORECASE).findall

    def of(self, block: bytes) -> bytes:
        """The chosen fields of a header block, with its empty line if it has one."""
        found = self._findall(b"\n" + block)
        chosen = b"\n".join(found)
        if found and not (block.endswith(found[-1]) and chosen[-1:] != b"\n"):
            chosen += b"\n"
        if block.endswith(b"\n\r\n") or block == b"\r\n":
            return chosen + b"\r\n"
        if block.endswith(b"\n\n") or block == b"\n":
            return chosen + b"\n"
        return chosen
