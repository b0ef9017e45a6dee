"""What every command has: its tag, and a name by which grammar, states and logs know it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Command:
    """
    One command of a client, complete and well-formed.

    `tag` is echoed in the tagged response (RFC 3501 §2.2.1). `name` is the command's name in capitals, without
    the `UID` that may stand before it.
    """

    name: ClassVar[str] = ""

    tag: bytes
