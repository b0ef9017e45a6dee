"""
BODYSTRUCTURE and BODY in IMAP wire form, out of the tree of parts. Sources: RFC 3501 §7.4.2; RFC 9051 §7.5.2;
RFC 2231 §6.

BODY is BODYSTRUCTURE without the extension data; `without_extensions` makes it out of a kept BODYSTRUCTURE. The kept
form has the message in a message/global, as IMAP4rev2 wants it; `with_global_closed` is for who does not know that.
"""

from __future__ import annotations

import re

from .parameters import Parameters, joined
from .strings import nstring, string
from .structure import Part

_GLOBAL = [b'"message"', b'"global"']
_EMPTY_PART = b'("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 0 0'


def body_structure(part: Part, extensions: bool = True) -> bytes:
    """The structure of a part and all below it; without `extensions` the form of BODY."""
    out: list[bytes] = []
    _render(part, extensions, out)
    return b"".join(out)


def _render(part: Part, extensions: bool, out: list[bytes]) -> None:
    if part.is_multipart:
        out.append(b"(")
        for child in part.children:
            _render(child, extensions, out)
        if not part.children:  # RFC 3501 §9: body-type-mpart has at least one body
            out.append(_EMPTY_PART + (b" NIL NIL NIL NIL)" if extensions else b")"))
        out.append(b" " + string(part.subtype))
        if extensions:
            out.append(b" " + _parameters(part.parameters))
    else:
        out.append(
            b"(%b %b %b %b %b %b %d"
            % (
                *_kind(part),
                _parameters(part.parameters),
                nstring(part.content_id),
                nstring(part.description),
                string(part.encoding),
                part.size,
            )
        )
        if part.is_message:
            out.append(b" %b " % (part.envelope or b"NIL"))
            _render(part.children[0], extensions, out)
            out.append(b" %d" % part.lines)
        elif part.type.lower() == b"text":
            out.append(b" %d" % part.lines)
        if extensions:
            out.append(b" " + nstring(part.md5))
    out.append(_extension(part) + b")" if extensions else b")")


def _kind(part: Part) -> tuple[bytes, bytes]:
    """Type and subtype as written; but one spelling of message/global, so that it is found again."""
    if part.is_message and part.subtype.lower() == b"global":
        return _GLOBAL[0], _GLOBAL[1]
    return string(part.type), string(part.subtype)


def _extension(part: Part) -> bytes:
    disposition = b"NIL"
    if part.disposition is not None:
        disposition = b"(%b %b)" % (string(part.disposition[0]), _parameters(part.disposition[1]))
    language = b"NIL"
    if part.language:
        tags = [string(tag.strip()) for tag in part.language.split(b",") if tag.strip()]
        if tags:
            language = tags[0] if len(tags) == 1 else b"(" + b" ".join(tags) + b")"
    return b" %b %b %b" % (disposition, language, nstring(part.location))


def _parameters(parameters: Parameters) -> bytes:
    if not parameters:
        return b"NIL"
    return b"(" + b" ".join([string(name) + b" " + string(value) for name, value in joined(parameters)]) + b")"


_token = re.compile(rb'[()]|"(?:[^"\\]|\\.)*+"|\{(\d+)\}\r\n|[^ ()"{]++', re.DOTALL).match

_Node = list["bytes | _Node"]


def without_extensions(structure: bytes) -> bytes:
    """BODY out of BODYSTRUCTURE, both in wire form as `body_structure` makes them."""
    return _basic(_read(structure))


def has_global(structure: bytes) -> bool:
    """Whether there is a message/global in a kept BODYSTRUCTURE, open or not. Errs on the side of yes."""
    return b" ".join(_GLOBAL) in structure


def with_global_closed(structure: bytes) -> bytes:
    """
    A kept BODYSTRUCTURE for clients to whom message/global is a type like any other.

    RFC 9755 §6 has the nested form of RFC 9051 §7.5.2 for those who have enabled UTF8=ACCEPT.
    """
    if not has_global(structure):
        return structure
    return _written(_closed(_read(structure)))


def _closed(node: _Node) -> _Node:
    children: _Node = [_closed(child) if isinstance(child, list) else child for child in node]
    if node[:2] == _GLOBAL and len(node) > _BASIC_FIELDS:
        del children[7:10]  # envelope, structure and lines
    return children


# Fields of a part that are no multipart, in BODYSTRUCTURE: those of any, and the extension data.
_BASIC_FIELDS = 7 + 4
_MESSAGES = frozenset((b'"rfc822"', b'"global"'))


def _read(structure: bytes) -> _Node:
    """The lists and strings of a wire form that we made ourselves."""
    top: _Node = []
    stack = [top]
    position, end = 0, len(structure)
    while position < end:
        match = _token(structure, position)
        if match is None:
            position += 1  # the space between two
            continue
        token, position = match[0], match.end()
        if match[1] is not None:
            position += int(match[1])
            stack[-1].append(structure[match.start() : position])
        elif token == b"(":
            inner: _Node = []
            stack[-1].append(inner)
            stack.append(inner)
        elif token == b")":
            stack.pop()
        else:
            stack[-1].append(token)
    first = top[0]
    return first if isinstance(first, list) else top


def _basic(node: _Node) -> bytes:
    if isinstance(node[0], list):
        parts = [child for child in node if isinstance(child, list)]
        count = next(i for i, child in enumerate(node) if isinstance(child, bytes))
        return b"(" + b"".join([_basic(child) for child in parts[:count]]) + b" " + _written(node[count]) + b")"
    kind, subtype = _written(node[0]).lower(), _written(node[1]).lower()
    words = [_written(child) for child in node[:7]]
    if kind == b'"text"':
        words.append(_written(node[7]))
    elif kind == b'"message"' and subtype in _MESSAGES and len(node) > _BASIC_FIELDS:
        inner = node[8]
        words += [_written(node[7]), _basic(inner) if isinstance(inner, list) else inner, _written(node[9])]
    return b"(" + b" ".join(words) + b")"


def _written(node: bytes | _Node) -> bytes:
    if isinstance(node, bytes):
        return node
    # Parts of a multipart, and addresses of a list, follow each other without a space.
    lists = next((i for i, child in enumerate(node) if isinstance(child, bytes)), len(node))
    first = b"".join([_written(child) for child in node[:lists]])
    rest = [_written(child) for child in node[lists:]]
    return b"(" + b" ".join([first, *rest] if lists else rest) + b")"
