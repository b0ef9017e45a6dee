"""
Charsets as mail names them. An unknown one, and octets that are wrong in theirs, are read as Latin-1 would:
something to search in is better than an error.

Only charsets of this table are decoded: Python knows codecs that are no charsets, or that are slow on purpose.
Sources: IANA charset names; RFC 1468 (ISO-2022-JP), WHATWG Encoding for what senders mean by a name.
"""

from __future__ import annotations

import codecs
import unicodedata

_LATIN_OCTETS = "twisted_mail_node.latin_octets"


def _as_latin_octets(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    end = max(error.end, error.start + 1)
    return error.object[error.start : end].decode("latin-1"), end


codecs.register_error(_LATIN_OCTETS, _as_latin_octets)

# Superset codecs stand in for the names under which their text is sent.
_CODECS = {
    **{f"iso-8859-{n}": f"iso8859-{n}" for n in (2, 3, 4, 5, 6, 7, 8, 10, 11, 13, 14, 15, 16)},
    **{f"windows-{n}": f"cp{n}" for n in range(1250, 1259)},
    **{f"cp{n}": f"cp{n}" for n in (437, 850, 852, 855, 858, 862, 866, 874, *range(1250, 1259))},
    "utf-8": "utf-8",
    "utf8": "utf-8",
    "us-ascii": "utf-8",
    "ascii": "utf-8",
    "iso-8859-1": "cp1252",
    "latin1": "cp1252",
    "iso-8859-9": "cp1254",
    "iso-8859-8-i": "iso8859-8",
    "koi8-r": "koi8-r",
    "koi8-u": "koi8-u",
    "macintosh": "mac-roman",
    "tis-620": "cp874",
    "iso-2022-jp": "iso2022_jp_ext",
    "iso-2022-jp-1": "iso2022_jp_ext",
    "iso-2022-jp-2": "iso2022_jp_2",
    "iso-2022-jp-3": "iso2022_jp_3",
    "iso-2022-jp-2004": "iso2022_jp_2004",
    "iso-2022-jp-ms": "iso2022_jp_ext",
    "csiso2022jp": "iso2022_jp_ext",
    "shift_jis": "cp932",
    "shift-jis": "cp932",
    "sjis": "cp932",
    "x-sjis": "cp932",
    "ms_kanji": "cp932",
    "windows-31j": "cp932",
    "cp932": "cp932",
    "euc-jp": "euc_jp",
    "eucjp": "euc_jp",
    "x-euc-jp": "euc_jp",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "gb18030": "gb18030",
    "cp936": "gb18030",
    "hz-gb-2312": "hz",
    "big5": "big5hkscs",
    "big5-hkscs": "big5hkscs",
    "euc-kr": "cp949",
    "ks_c_5601-1987": "cp949",
    "iso-2022-kr": "iso2022_kr",
    "utf-7": "utf-7",
    "utf-16": "utf-16",
    "utf-16le": "utf-16-le",
    "utf-16be": "utf-16-be",
    "utf-32": "utf-32",
}

SEARCH_CHARSETS = ("US-ASCII", "UTF-8", "ISO-2022-JP", "Shift_JIS", "EUC-JP", "GB18030", "ISO-8859-1")
"""Named in [BADCHARSET]; every other charset of the table is taken too."""


def _codec(charset: bytes | str) -> str | None:
    if isinstance(charset, bytes):
        charset = charset.decode("latin-1")
    return _CODECS.get(charset.strip().strip("\"'").lower())


def is_known(charset: bytes | str) -> bool:
    """Whether the charset can be decoded."""
    return _codec(charset) is not None


def decode_strictly(data: bytes, charset: bytes | str) -> str:
    """
    Decode what must be right, such as a search argument.

    Raises: LookupError: unknown charset. UnicodeDecodeError: octets that are wrong in it.
    """
    codec = _codec(charset)
    if codec is None:
        raise LookupError("unknown charset")
    return data.decode(codec)


def decode(data: bytes, charset: bytes | str = "utf-8") -> str:
    """Decode whatever comes; see the module for what is wrong or unknown."""
    return data.decode(_codec(charset) or "utf-8", _LATIN_OCTETS)


def incremental_decoder(charset: bytes | str) -> codecs.IncrementalDecoder:
    """
    A decoder for text that comes in pieces, as tolerant as `decode`.

    It raises UnicodeError where a state has no end (ISO-2022) or no beginning (UTF-16 without its mark).
    """
    return codecs.getincrementaldecoder(_codec(charset) or "utf-8")(_LATIN_OCTETS)


# Our own bound: the characters whose folded form is remembered, some 150 octets each. All are forgotten beyond it.
_REMEMBERED = 20_000


class _Folded(dict[int, str]):
    """Characters that were met, with their folded form."""

    def __missing__(self, code: int) -> str:
        if len(self) >= _REMEMBERED:
            self.clear()
        folded = self[code] = _folded(chr(code))
        return folded


def _folded(character: str) -> str:
    if character == "\0":
        return "\ufffd"
    titled = character.title()
    if len(titled) == 1:  # The one of UnicodeData.txt; those of several characters are from another table.
        character = titled
    code_points = [code for code in unicodedata.decomposition(character).split() if not code.startswith("<")]
    return "".join([_folded(chr(int(code, 16))) for code in code_points]) or character


_folds = _Folded()


def fold(text: str) -> str:
    """
    The form in which texts are compared: each character's title case, decomposed as far as it goes.

    So case makes no difference, nor does wide or narrow, and a letter is found in one with marks. Character by
    character: what is folded in pieces is folded as in one. NUL, which no text has, is U+FFFD.

    Source: RFC 5051 §2 (i;unicode-casemap), which RFC 5255 §4 makes SEARCH's.
    """
    if text.isascii():
        text = text.upper()
        return text.replace("\0", "\ufffd") if "\0" in text else text
    return text.translate(_folds)
