"""
Policy: what may come in. One question a stage, one value as the answer (ISMTPPolicy).

`relay` is the rule that this node is never an open relay, `recipients` finds where an address leads, `limits`
slows those down who come too often, `chain` asks several policies in order, `skeleton` is there to be copied.
"""

from .chain import PolicyChain
from .limits import RateLimits, RateLimitSettings
from .recipients import Recipients, RecipientSettings
from .relay import RelayPolicy, RelaySettings
from .skeleton import OpenPolicy

__all__ = [
    "OpenPolicy",
    "PolicyChain",
    "RateLimitSettings",
    "RateLimits",
    "RecipientSettings",
    "Recipients",
    "RelayPolicy",
    "RelaySettings",
]
