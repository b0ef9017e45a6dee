"""
SASLprep: how names and passwords are made alike before they are compared or hashed.

Knows the Unicode of its time, 3.2: what was assigned later is unassigned here. Neighbour: `scram`, the mechanism that
cannot do without, as both sides have to hash the same octets.

Source: RFC 4013 §2, a profile of stringprep (RFC 3454), whose tables the standard library has.
"""

from __future__ import annotations

import stringprep as tables
from unicodedata import ucd_3_2_0

_PROHIBITED = (
    tables.in_table_c12,
    tables.in_table_c21_c22,
    tables.in_table_c3,
    tables.in_table_c4,
    tables.in_table_c5,
    tables.in_table_c6,
    tables.in_table_c7,
    tables.in_table_c8,
    tables.in_table_c9,
)


def prepared(text: str, *, allow_unassigned: bool = False) -> str:
    """
    The text as SASLprep makes it.

    Args:
        text: may be empty.
        allow_unassigned: as for a query; what is kept may not have them (RFC 3454 §7).

    Raises: ValueError: the text has a character that is prohibited, or mixes directions of writing.
    """
    if text.isascii() and text.isprintable():
        return text
    mapped = "".join(" " if tables.in_table_c12(c) else c for c in text if not tables.in_table_b1(c))
    result = ucd_3_2_0.normalize("NFKC", mapped)
    for character in result:
        if any(is_prohibited(character) for is_prohibited in _PROHIBITED):
            raise ValueError(f"U+{ord(character):04X} is prohibited")
        if not allow_unassigned and tables.in_table_a1(character):
            raise ValueError(f"U+{ord(character):04X} is not assigned in Unicode 3.2")
    _check_direction(result)
    return result


def _check_direction(text: str) -> None:
    """RFC 3454 §6: who writes from right to left begins and ends so, and has no letter the other way between."""
    if not any(map(tables.in_table_d1, text)):
        return
    if any(map(tables.in_table_d2, text)):
        raise ValueError("letters of both directions of writing")
    if not (tables.in_table_d1(text[0]) and tables.in_table_d1(text[-1])):
        raise ValueError("text from right to left has to begin and end with its letters")
