"""The answers of this node's policies, and the ready-made Deferred for the commonest."""

from __future__ import annotations

from twisted.internet.defer import Deferred, succeed

from ..mail.status import EnhancedStatus
from ..mail.verdict import Accept, Reject, Verdict

ACCEPT = Accept()

# RFC 5321 §4.2.3: 550 for a mailbox that is not there; RFC 3463 §3.2 X.1.1; RFC 5321 §7.9: 550 for relaying.
NO_SUCH_USER = Reject(EnhancedStatus(5, 1, 1), "no such user here")
NO_LIST = Reject(EnhancedStatus(5, 1, 1), "that is nothing that leads anywhere else")
NOT_AN_ADDRESS = Reject(EnhancedStatus(5, 1, 3), "not an address of ours", 501)
RELAY_DENIED = Reject(EnhancedStatus(5, 7, 1), "relaying denied, this address is not at home here")
OWN_SENDER_NEEDS_LOGIN = Reject(EnhancedStatus(5, 7, 1), "senders of this domain have to log in")
TOO_OFTEN_ALIASED = Reject(EnhancedStatus(5, 4, 6), "aliases of this address lead too far or in a circle")


def accepted() -> Deferred[Verdict]:
    """A Deferred that has fired with a plain yes."""
    return succeed(ACCEPT)
