"""
Reports about mail, as bodies. Pure. `report` puts one together of `words` for people, `status` for programs, and what
`returned` gives back of the message; `addresses` writes addresses for them. To whom a report goes is decided by
`queue.bouncer` and by intake.
"""

from .report import Reporter, report
from .returned import WHOLE_OCTETS

__all__ = ["WHOLE_OCTETS", "Reporter", "report"]
