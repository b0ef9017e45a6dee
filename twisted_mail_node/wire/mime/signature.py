"""
Signatures: which short runs of octets a kept text has, as a set of few numbers, so that a search passes over most
messages without looking at their texts. It may say that a text may be there where it is not, never the reverse.

A run is three octets of ASCII, or four where one of the three is none: so a Latin word of three letters and a Japanese
one of two characters have a run. What is shorter has none, and narrows nothing. Fields that are often asked for by
name have their runs once more under that name.

Neighbours: `search_text` has the texts; who keeps signatures decides how.
"""

from __future__ import annotations

from collections.abc import Iterator

MODULUS = 8191
"""Numbers are below it: a prime, so that neighbouring runs are spread."""

SLICE_OCTETS = 8 * 1024
"""Looked at in one piece of work: about a millisecond."""

NAMED_FIELDS = {name: 40_503 * number for number, name in enumerate(("from", "to", "cc", "bcc", "subject"), start=1)}
"""What is added to the runs of a field of this name, to tell them from those of others."""

_WORD_OCTETS = 4
_LITTLE_ENDIAN = memoryview(b"\1\0\0\0").cast("I")[0] == 1


def numbers_of(text: bytes) -> set[int]:
    """The numbers of a kept text. Takes a tenth of a microsecond an octet: see `pieces`."""
    return {run % MODULUS for run in _runs(text)}


def pieces(text: bytes) -> Iterator[bytes]:
    """The text in pieces of little work, whose runs together are those of the whole."""
    for start in range(0, max(1, len(text)), SLICE_OCTETS):
        yield text[start : start + SLICE_OCTETS + _WORD_OCTETS - 1]


def numbers_of_fields(fields: Iterator[tuple[str, str]]) -> set[int]:
    """The numbers of named fields, given as (name, folded value)."""
    numbers: set[int] = set()
    for name, value in fields:
        salt = NAMED_FIELDS[name]
        numbers.update([(run + salt) % MODULUS for run in _runs(value.encode("utf-8", "surrogatepass"))])
    return numbers


def wanted(text: bytes, field: str | None = None) -> frozenset[int]:
    """The numbers that every text has in which this one is found: in a field of that name, or anywhere."""
    salt = NAMED_FIELDS.get(field or "", 0)
    return frozenset([(run + salt) % MODULUS for run in _runs(text)])


def _runs(text: bytes) -> set[int]:
    words: set[int] = set()
    view = memoryview(text if _LITTLE_ENDIAN else text[::-1])  # so that runs are the same numbers on every machine
    for start in range(_WORD_OCTETS):
        whole = (len(text) - start) // _WORD_OCTETS * _WORD_OCTETS
        if whole > 0:
            words.update(view[start : start + whole].cast("I"))
    runs = {word & 0xFFFFFF if not word & 0x808080 else word for word in words}
    last = int.from_bytes(text[-3:], "little")
    if len(text) >= 3 and not last & 0x808080:
        runs.add(last)
    return runs
