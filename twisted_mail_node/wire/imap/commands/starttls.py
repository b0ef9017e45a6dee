"""STARTTLS. Source: RFC 3501 §6.2.1."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from .command import Command


@dataclass(frozen=True, slots=True)
class StartTLS(Command):
    """The client wants TLS; after the tagged OK the handshake begins."""

    name: ClassVar[str] = "STARTTLS"
