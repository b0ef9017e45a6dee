"""STARTTLS. Source: RFC 3207 §4."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StartTLS:
    """STARTTLS; after a 220 everything begins anew."""
