"""ID. Source: RFC 2971 §3.1."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from .command import Command


@dataclass(frozen=True, slots=True)
class Id(Command):
    """Who the client says it is: pairs of field (lower case) and value, for logs; empty for NIL."""

    name: ClassVar[str] = "ID"

    fields: tuple[tuple[str, str | None], ...]
