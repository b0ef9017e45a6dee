"""NAMESPACE. Source: RFC 2342 §5."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from .command import Command


@dataclass(frozen=True, slots=True)
class Namespace(Command):
    """The client asks for the prefixes of personal, others' and shared mailboxes."""

    name: ClassVar[str] = "NAMESPACE"
