"""
Makes the whole door out of a store that provides only the required part of it (`interfaces.required_store`).

What the store provides of the rest by itself is passed through; what it lacks is computed of what it gives, and
remembered within bounds. The parts: `store` and `doors` (who is asked), `columns` (what is made of a message),
`overview` (what is made of a mailbox), `memory` (what is remembered), `staging` (large bodies on their way in),
`directory` (users, of accounts). Neighbours: `node.storage` puts it in front of an application's store.
"""

from .directory import AccountDirectory
from .memory import DEFAULT_OCTETS
from .store import CompletedStore

__all__ = ["DEFAULT_OCTETS", "AccountDirectory", "CompletedStore"]
