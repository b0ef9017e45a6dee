"""Several policies asked in order; the first that does not say yes decides."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from twisted.internet.defer import Deferred, succeed
from twisted.python.failure import Failure
from zope.interface import implementer

from ..interfaces.deferred import returns_deferred
from ..interfaces.policy import ISMTPPolicy
from ..mail.address import Address
from ..mail.envelope import Client
from ..mail.verdict import Accept, Verdict
from .verdicts import ACCEPT

Ask = Callable[[ISMTPPolicy], Deferred[Verdict]]


@implementer(ISMTPPolicy)
class PolicyChain:
    """
    Asks `policies` one after the other, at each stage.

    The first Defer or Reject is the answer, and nobody behind is asked. If all accept, the answer to RCPT is the
    first Accept that carries a recipient. A policy that fails is not passed over: the failure is the answer.
    """

    def __init__(self, policies: Sequence[ISMTPPolicy]) -> None:
        self._policies = tuple(policies)

    def connected(self, client: Client) -> Deferred[Verdict]:
        """See ISMTPPolicy."""
        return self._ask(lambda policy: policy.connected(client))

    def hello(self, client: Client) -> Deferred[Verdict]:
        """See ISMTPPolicy."""
        return self._ask(lambda policy: policy.hello(client))

    def sender(
        self, client: Client, sender: Address | None, parameters: tuple[tuple[str, str], ...]
    ) -> Deferred[Verdict]:
        """See ISMTPPolicy."""
        return self._ask(lambda policy: policy.sender(client, sender, parameters))

    def recipient(self, client: Client, sender: Address | None, recipient: Address) -> Deferred[Verdict]:
        """See ISMTPPolicy."""
        return self._ask(lambda policy: policy.recipient(client, sender, recipient))

    def verify(self, client: Client, text: str) -> Deferred[Verdict]:
        """See ISMTPPolicy."""
        return self._ask(lambda policy: policy.verify(client, text))

    def expand(self, client: Client, text: str) -> Deferred[Verdict]:
        """See ISMTPPolicy."""
        return self._ask(lambda policy: policy.expand(client, text))

    def _ask(self, ask: Ask) -> Deferred[Verdict]:
        """Without a coroutine as long as the answers are there at once."""
        answer: Accept = ACCEPT
        for position, policy in enumerate(self._policies):
            asked = ask(policy)
            # A Failure or an answer to come: the slow way takes over from here.
            verdict = asked.result if asked.called and not asked.paused else None
            if verdict is None or isinstance(verdict, Failure | Deferred):
                return self._ask_late(ask, asked, position, answer)
            if not isinstance(verdict, Accept):
                return asked
            if answer.recipient is None:
                answer = verdict
        return succeed(answer)

    @returns_deferred
    async def _ask_late(self, ask: Ask, asked: Deferred[Verdict], position: int, answer: Accept) -> Verdict:
        for policy in (None, *self._policies[position + 1 :]):
            verdict = await (asked if policy is None else ask(policy))
            if not isinstance(verdict, Accept):
                return verdict
            if answer.recipient is None:
                answer = verdict
        return answer
