"""
Verifying a store: every reference, count and hash, read only, on whichever engine, while others work with it.

`run` goes through everything slice by slice, each slice in a moment of its own, so that no log has to be kept for its
sake; `findings` says what may be found and what to do then; `mailboxes`, `bodies` and `rest` look,
`repair` mends.
"""

from .findings import Finding, Kind
from .repair import repair
from .run import Progress, Scope, verify

__all__ = ["Finding", "Kind", "Progress", "Scope", "repair", "verify"]
