"""
Structured MIME fields: a value and its parameters, `text/plain; charset="utf-8"`.

Parameters are given as written: the continuations and charsets of RFC 2231 stay what they are on the wire. `joined`
puts the continuations together, as BODYSTRUCTURE gives them. Sources: RFC 2045 §5.1; RFC 2231 §3, §4.1.
"""

from __future__ import annotations

import re
from itertools import count, takewhile

from .headers import unfold

_parameters = re.compile(
    rb";[ \t]*+([^=;\x00-\x20\"]++)[ \t]*+=[ \t]*+"
    rb'(?:"((?:[^"\\]|\\.)*+)(?:"|\\?\Z)|([^;]*+))',
    re.DOTALL,
).finditer
_comment_token = re.compile(rb'"(?:[^"\\]|\\.)*+"?|\\.?|[()]|[^"()\\]++', re.DOTALL).finditer
_escaped = re.compile(rb"\\(.)", re.DOTALL).sub
_media_type = re.compile(rb"([^\x00-\x20/;\"()\x7f-\xff]++)[ \t]*/[ \t]*([^\x00-\x20/;\"()\x7f-\xff]++)").match

_not_attribute_char = re.compile(rb"[^A-Za-z0-9!#$&+.^_`{|}~-]").sub  # RFC 2231 §7

_PARAMETER_LIMIT = 500

Parameters = tuple[tuple[bytes, bytes], ...]


def without_comments(value: bytes) -> bytes:
    """The value without its comments; parentheses in quoted strings stay."""
    if b"(" not in value:
        return value
    kept, depth = [], 0
    for match in _comment_token(value):
        token = match[0]
        if token == b"(":
            depth += 1
        elif token == b")" and depth:
            depth -= 1
        elif not depth:
            kept.append(token)
    return b"".join(kept)


def value_and_parameters(raw: bytes) -> tuple[bytes, Parameters]:
    """A raw field value as its first word and its parameters; names as written, quoting removed from values."""
    value = unfold(raw)
    if b";" not in value and b"(" not in value:
        return value, ()
    value = without_comments(value)
    first = value.partition(b";")[0].strip()
    found = []
    for match in _parameters(value):
        name, quoted, plain = match.groups()
        found.append((name, plain.strip() if quoted is None else _escaped(rb"\1", quoted)))
        if len(found) >= _PARAMETER_LIMIT:
            break
    return first, tuple(found)


_continued = re.compile(rb"([^*]+)\*(0|[1-9][0-9]{0,3})(\*?)").fullmatch


def joined(parameters: Parameters) -> Parameters:
    """
    The parameters with `name*0` and those that continue it as one `name`.

    Where octets are encoded it is one `name*`, still encoded, charset before it: that is what the star says
    (RFC 2231 §4), so what RFC 9051 §7.5.2 has in its second example, text in UTF-8 under this name, would be misread.
    """
    if not any(b"*" in name for name, _ in parameters):
        return parameters
    pieces: dict[bytes, dict[int, tuple[bool, bytes]]] = {}
    for name, value in parameters:
        if match := _continued(name):
            of_name = pieces.setdefault(match[1].lower(), {})
            of_name.setdefault(int(match[2]), (bool(match[3]), value))
    made: list[tuple[bytes, bytes]] = []
    whole: set[bytes] = set()
    for name, value in parameters:
        match = _continued(name)
        base = match[1].lower() if match else b""
        if match is None or 0 not in pieces[base]:
            made.append((name, value))
        elif base not in whole:
            whole.add(base)
            made.append(_whole(match[1], pieces[base]))
    return tuple(made)


def _whole(name: bytes, pieces: dict[int, tuple[bool, bytes]]) -> tuple[bytes, bytes]:
    """The pieces from 0 on, as far as they follow each other."""
    values = [pieces[number] for number in takewhile(pieces.__contains__, count())]
    if not any(encoded for encoded, _ in values):
        return name, b"".join([value for _, value in values])
    first = b"" if values[0][0] else b"''"  # without a charset, which only the first piece may name
    return name + b"*", first + b"".join([value if encoded else _percented(value) for encoded, value in values])


def _percented(value: bytes) -> bytes:
    return _not_attribute_char(lambda octet: b"%%%02X" % ord(octet[0]), value)


def media_type(raw: bytes) -> tuple[bytes, bytes, Parameters] | None:
    """A Content-Type as (type, subtype, parameters) in the letters it came in, or None where it is not one."""
    value, parameters = value_and_parameters(raw)
    match = _media_type(value)
    return (match[1], match[2], parameters) if match else None


def parameter(parameters: Parameters, name: bytes) -> bytes | None:
    """The value of the first parameter of this name (in lower case), or None."""
    for mine, value in parameters:
        if mine.lower() == name:
            return value
    return None
