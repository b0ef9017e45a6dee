"""What came instead of a command."""

from __future__ import annotations

from dataclasses import dataclass

from ....mail.status import Reply


@dataclass(frozen=True, slots=True)
class Mistake:
    """What cannot be done or understood; `reply` is the standard's answer."""

    reply: Reply
