"""
A store copied into another, whatever kinds they are: users, aliases, mail and queue, with all numbers and ids.

`stores` opens both, `store` holds the parts together: `directory`, `mailboxes`, `annotations`, `queue`. Neither store
may be in use meanwhile; what was cut off is simply started again.
"""

from .store import Counts
from .stores import copy

__all__ = ["Counts", "copy"]
