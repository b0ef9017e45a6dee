"""ID. Source: RFC 2971 §3.1."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ..refusal import BadSyntax
from ..tokens import Tokens
from .command import Command


@dataclass(frozen=True, slots=True)
class Id(Command):
    """Who the client says it is: pairs of field (lower case) and value, for logs; empty for NIL."""

    name: ClassVar[str] = "ID"

    fields: tuple[tuple[str, str | None], ...]


# RFC 2971 §3.3: at most 30 pairs, fields of at most 30 octets, values of at most 1024.
MAX_FIELDS, MAX_FIELD_OCTETS, MAX_VALUE_OCTETS = 30, 30, 1024


def parse(tag: bytes, tokens: Tokens) -> Id:
    """`ID` SP, then NIL or a list of strings, each followed by a string or NIL."""
    tokens.space()
    if not tokens.is_next(b"("):
        if tokens.keyword("a parameter list") != "NIL":
            raise BadSyntax("a parameter list is missing")
        return Id(tag, ())

    def field() -> tuple[str, str | None]:
        name = tokens.string("a field")
        tokens.space()
        value = tokens.nstring("a value")
        if len(name) > MAX_FIELD_OCTETS or (value is not None and len(value) > MAX_VALUE_OCTETS):
            raise BadSyntax("field or value too long")
        return _text(name).lower(), None if value is None else _text(value)

    fields = tokens.list_of(field, may_be_empty=True)
    if len(fields) > MAX_FIELDS:
        raise BadSyntax("too many fields")
    return Id(tag, tuple(fields))


def _text(octets: bytes) -> str:
    return octets.decode("utf-8", "replace")
