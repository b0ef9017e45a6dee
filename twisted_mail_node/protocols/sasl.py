"""
The drive of a SASL exchange, the same for SMTP, IMAP and POP3: from the command to a login, a challenge or a refusal.

Decides who is asked what, and that nobody acts for somebody else. A session says in its own words what a step came
to, and no more: Challenge (write it, and hand on the next line), Refused, LoggedIn. Neighbours: `wire.sasl` knows the
mechanisms, `login` asks the portal.

Source: RFC 4422 §3.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..interfaces.auth import ILogin
from ..mail.envelope import Peer
from ..wire.sasl.outcomes import Challenge, Outcome, RefusalReason, Refused
from ..wire.sasl.server import SASLServer
from .login import Authenticator


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """The client has proved who it is: say the protocol's word of success."""

    login: ILogin


Step = Challenge | Refused | LoggedIn


class Exchange:
    """
    One exchange. `start` or `start_line` once, then `step` or `step_line` as long as they come to a Challenge.

    All of them fail as Authenticator.login does, and the exchange is over then. Those of lines take what stood there
    in base64, the others decoded octets.
    """

    def __init__(self, authenticator: Authenticator, peer: Peer) -> None:
        """
        Args:
            authenticator: tells what is offered, and checks.
            peer: as it is now.
        """
        self._authenticator = authenticator
        self._peer = peer
        self._server = SASLServer(authenticator.mechanisms(peer))

    async def start(self, mechanism: str, initial: bytes | None = None) -> Step:
        """Begin. None is no initial response, b"" an empty one."""
        return await self._come_to(self._server.start(mechanism, initial))

    async def start_line(self, mechanism: str, argument: bytes | None = None) -> Step:
        """Begin with the argument of the AUTH command, None where there was none."""
        return await self._come_to(self._server.start_line(mechanism, argument))

    async def step(self, response: bytes) -> Step:
        """Go on with the client's response."""
        return await self._come_to(self._server.step(response))

    async def step_line(self, line: bytes) -> Step:
        """Go on with a line of the client, its CRLF taken off; "*" gives up."""
        return await self._come_to(self._server.step_line(line))

    async def _come_to(self, outcome: Outcome) -> Step:
        if isinstance(outcome, Challenge | Refused):
            return outcome
        if outcome.identity and not self._authenticator.is_same_account(outcome.identity, outcome.username):
            return Refused(RefusalReason.OTHER_IDENTITY)
        return LoggedIn(await self._authenticator.login(self._peer, outcome.username, outcome.password))
