"""DATA and the content behind it. Source: RFC 5321 §4.1.1.4."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Data:
    """DATA; a 354 begins the content."""


@dataclass(frozen=True, slots=True)
class Content:
    """A piece of the message; wants no answer."""

    data: bytes


@dataclass(frozen=True, slots=True)
class ContentEnd:
    """The end of the message; wants its answer, in LMTP one for each accepted recipient."""

    size: int
    bare_newlines: bool
    nul: bool = False
