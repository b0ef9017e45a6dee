"""
The charsets that search texts may come in. Source: RFC 3501 §6.4.4 (CHARSET, BADCHARSET).

An allow-list: Python's other codecs are no charsets (base64, …) or transform names (idna, punycode).
"""

from __future__ import annotations

from .refusal import Impossible

# fmt: off
# Names as IANA registers them or clients write them, each with Python's codec where that is called otherwise.
CHARSETS = (
    "US-ASCII", "UTF-8", "UTF-7", "UTF-16", "UTF-16BE", "UTF-16LE",
    "ISO-2022-JP", "ISO-2022-JP-1", "ISO-2022-JP-2", "ISO-2022-JP-3", "ISO-2022-JP-2004",
    "Shift_JIS", "Shift_JIS-2004", "CP932", "Windows-31J", "EUC-JP", "EUC-JIS-2004",
    "ISO-2022-KR", "EUC-KR", "CP949", "Johab",
    "Big5", "Big5-HKSCS", "GB2312", "GBK", "GB18030", "HZ-GB-2312",
    "ISO-8859-1", "ISO-8859-2", "ISO-8859-3", "ISO-8859-4", "ISO-8859-5", "ISO-8859-6", "ISO-8859-7", "ISO-8859-8",
    "ISO-8859-9", "ISO-8859-10", "ISO-8859-11", "ISO-8859-13", "ISO-8859-14", "ISO-8859-15", "ISO-8859-16",
    "Windows-1250", "Windows-1251", "Windows-1252", "Windows-1253", "Windows-1254", "Windows-1255", "Windows-1256",
    "Windows-1257", "Windows-1258", "Windows-874",
    "KOI8-R", "KOI8-U", "TIS-620", "Macintosh", "IBM437", "IBM850", "IBM852", "IBM855", "IBM866",
)
_CODECS_OF = {"windows-31j": "cp932", "windows-874": "cp874", "hz-gb-2312": "hz", "macintosh": "mac-roman"}
# fmt: on
_CODECS = {name.lower(): _CODECS_OF.get(name.lower(), name.lower()) for name in CHARSETS}
_BAD_CHARSET = b"BADCHARSET (%b)" % " ".join(CHARSETS).encode("ascii")


def codec_of(charset: bytes) -> str:
    """
    Python's codec for a charset named in any case.

    Raises: Impossible: not one that is known; the code tells those that are.
    """
    codec = _CODECS.get(charset.decode("latin-1").lower())
    if codec is None:
        raise Impossible("unknown charset", _BAD_CHARSET)
    return codec
