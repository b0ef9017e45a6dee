"""
Policy: what may come in. One question a stage, one value as the answer (ISMTPPolicy).

`relay` is the rule that this node is never an open relay, `recipients` finds where an address leads, `limits` and
`accounts` slow those down who come or send too often (`spans` counts for them), `chain` asks several policies in order,
`skeleton` is there to be copied.
"""

from .accounts import AccountLimits, AccountLimitSettings
from .chain import PolicyChain
from .limits import RateLimits, RateLimitSettings
from .recipients import Recipients, RecipientSettings
from .relay import Audience, RelayPolicy, RelaySettings
from .skeleton import OpenPolicy

__all__ = [
    "AccountLimitSettings",
    "AccountLimits",
    "Audience",
    "OpenPolicy",
    "PolicyChain",
    "RateLimitSettings",
    "RateLimits",
    "RecipientSettings",
    "Recipients",
    "RelayPolicy",
    "RelaySettings",
]
