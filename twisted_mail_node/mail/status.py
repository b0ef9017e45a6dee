"""
Enhanced status codes and SMTP replies: one value for code, class and text.

Sources: RFC 5321 §4.2 (replies), RFC 3463 (enhanced status codes), RFC 2034 (their place in replies).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache


@dataclass(frozen=True, slots=True, order=True)
class EnhancedStatus:
    """
    An enhanced mail system status code, `class.subject.detail`.

    Source: RFC 3463 §2. The class is 2 (success), 4 (persistent transient failure) or 5 (permanent failure);
    subject and detail are 0 to 999.
    """

    class_: int
    subject: int
    detail: int

    def __post_init__(self) -> None:
        if self.class_ not in (2, 4, 5) or not 0 <= self.subject <= 999 or not 0 <= self.detail <= 999:
            raise ValueError(f"not an enhanced status code: {self.class_}.{self.subject}.{self.detail}")

    def __str__(self) -> str:
        return f"{self.class_}.{self.subject}.{self.detail}"

    @classmethod
    @lru_cache(maxsize=256)  # each answer of another server begins with one of a few
    def parse(cls, text: str) -> EnhancedStatus:
        """Read `5.1.1`. Raises ValueError for anything that is not class.subject.detail."""
        parts = text.split(".")
        if len(parts) != 3 or not all(part.isascii() and part.isdigit() and len(part) <= 3 for part in parts):
            raise ValueError(f"not an enhanced status code: {text!r}")
        return cls(int(parts[0]), int(parts[1]), int(parts[2]))


@dataclass(frozen=True, slots=True)
class Reply:
    """
    One SMTP reply, of one or several lines.

    `code` is three digits; it is judged by its first digit alone (RFC 5321 §4.2.1). `status` is the enhanced
    status code that belongs to it, or None where the standard has none (220, 334, 354, EHLO). `lines` is the
    text without codes or line ends, at least one line. With `close` the connection ends after the reply.
    """

    code: int
    lines: tuple[str, ...]
    status: EnhancedStatus | None = None
    close: bool = False

    @property
    def is_positive(self) -> bool:
        """True for 2xx and 3xx."""
        return self.code < 400

    @property
    def is_temporary(self) -> bool:
        """True for 4xx."""
        return 400 <= self.code < 500

    @property
    def is_permanent(self) -> bool:
        """True for 5xx."""
        return self.code >= 500

    def __str__(self) -> str:
        prefix = f"{self.code} {self.status} " if self.status else f"{self.code} "
        return prefix + " ".join(self.lines)


def reply(code: int, status: str | None, *lines: str, close: bool = False) -> Reply:
    """Build a reply from its parts: `reply(550, "5.1.1", "no such user")`."""
    return Reply(code, lines, EnhancedStatus.parse(status) if status else None, close)
