"""
A policy to copy: it says yes to everything, at every stage. Put yours into a PolicyChain before the RelayPolicy.

How to answer at each stage:

- `return succeed(Accept())`: nothing to object.
- `return succeed(Reject(EnhancedStatus(5, 7, 1), "why, in words for the peer"))`: never. `code=554` for a greeting.
- `return succeed(Defer(EnhancedStatus(4, 7, 1), "why"))`: not now, the peer will try again (greylisting, say).
  `code=421` closes the connection.
- To take time (DNS, a database), decorate an `async def` with `interfaces.deferred.returns_deferred`. The peer
  waits meanwhile, others do not. If it leaves, what you await is cancelled.
- An exception counts as "not now" and is logged. Say what you mean instead.

Only the answer to RCPT carries something: `Accept(Recipient(...))` tells where the address leads. Leave it to
others by `Accept()`; if nobody in the chain tells, the recipient is refused.
"""

from __future__ import annotations

from twisted.internet.defer import Deferred
from zope.interface import implementer

from ..interfaces.policy import ISMTPPolicy
from ..mail.address import Address
from ..mail.envelope import Client
from ..mail.verdict import Verdict
from .verdicts import accepted


@implementer(ISMTPPolicy)
class OpenPolicy:
    """Says yes."""

    def connected(self, client: Client) -> Deferred[Verdict]:
        """`client.peer` is all that is known."""
        return accepted()

    def hello(self, client: Client) -> Deferred[Verdict]:
        """`client.hello` is the name it gives itself; nothing follows from its being wrong (RFC 5321 §4.1.4)."""
        return accepted()

    def sender(
        self, client: Client, sender: Address | None, parameters: tuple[tuple[str, str], ...]
    ) -> Deferred[Verdict]:
        """`sender` is None for `<>`: a report, which must be let in (RFC 5321 §4.5.5)."""
        return accepted()

    def recipient(self, client: Client, sender: Address | None, recipient: Address) -> Deferred[Verdict]:
        """Asked once for each recipient."""
        return accepted()

    def verify(self, client: Client, text: str) -> Deferred[Verdict]:
        """A yes without a recipient is answered 252: send mail and see."""
        return accepted()

    def expand(self, client: Client, text: str) -> Deferred[Verdict]:
        """As `verify`; a recipient is told by where it leads."""
        return accepted()
