"""
The contract of IQueueStore. Inherit `QueueContract` and supply the fixture `backend` (see `testing.backend`).

Every test needs a queue that is empty at first: give each a backend of its own.
"""

from .items import ItemsContract
from .leases import LeasesContract
from .notices import QueueNoticesContract
from .outcomes import OutcomesContract
from .ownership import OwnershipContract


class QueueContract(ItemsContract, LeasesContract, OutcomesContract, QueueNoticesContract, OwnershipContract):
    """All that a queue store promises."""


__all__ = [
    "ItemsContract",
    "LeasesContract",
    "OutcomesContract",
    "OwnershipContract",
    "QueueContract",
    "QueueNoticesContract",
]
