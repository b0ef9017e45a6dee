"""
Kept texts as the database has them: deflated, and marked with the form that they have.

Neighbours: `wire.mime.search_text` says what the text is; `store.sql.selection` reads it.
"""

from __future__ import annotations

import unicodedata
import zlib

from ....wire.mime.search_text import FORM as TEXT_FORM

LEVEL = 1
"""Of deflating: 1 takes two thirds of the time of 6, for a tenth more octets."""


def _form() -> int:
    """Folding goes by the tables of the Unicode version that this Python has."""
    major, minor, update = map(int, unicodedata.unidata_version.split("."))
    return TEXT_FORM * 1_000_000 + major * 10_000 + minor * 100 + update


FORM = _form()


def deflated(text: bytes | None) -> bytes | None:
    """The text as it is kept."""
    return None if text is None else zlib.compress(text, LEVEL)


def inflated(kept: bytes | None) -> bytes | None:
    """The text of what is kept."""
    return None if kept is None else zlib.decompress(kept)
