"""
Structured MIME fields: a value and its parameters, `text/plain; charset="utf-8"`.

Parameters are given as written: the continuations and charsets of RFC 2231 stay what they are on the wire,
because BODYSTRUCTURE gives them so. Source: RFC 2045 §5.1.
"""

from __future__ import annotations

import re

from .headers import unfold

_parameters = re.compile(
    rb";[ \t]*+([^=;\x00-\x20\"]++)[ \t]*+=[ \t]*+"
    rb'(?:"((?:[^"\\]|\\.)*+)(?:"|\\?\Z)|([^;]*+))',
    re.DOTALL,
).finditer
_comment_token = re.compile(rb'"(?:[^"\\]|\\.)*+"?|\\.?|[()]|[^"()\\]++', re.DOTALL).finditer
_escaped = re.compile(rb"\\(.)", re.DOTALL).sub
_media_type = re.compile(rb"([^\x00-\x20/;\"()\x7f-\xff]++)[ \t]*/[ \t]*([^\x00-\x20/;\"()\x7f-\xff]++)").match

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
