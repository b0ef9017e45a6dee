"""
The drive of a SASL exchange, the same for SMTP, IMAP and POP3: from the command to a login, a challenge or a refusal.

Decides who is asked what, and that nobody acts for somebody else. A session says in its own words what a step came
to, and no more: Challenge (write it, and hand on the next line), Refused, LoggedIn. Neighbours: `wire.sasl` knows the
mechanisms, `login` asks the portal, `credentials` is what it is shown.

Source: RFC 4422 §3.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from twisted.cred.credentials import ICredentials
from twisted.logger import Logger

from ..interfaces.auth import ILogin
from ..mail.envelope import Peer
from ..wire.errors import MisuseError
from ..wire.sasl.mechanisms import MECHANISMS
from ..wire.sasl.outcomes import (
    Accepted,
    CertificateProposed,
    Challenge,
    Claim,
    Outcome,
    Proposed,
    RefusalReason,
    Refused,
    ScramProposed,
    TokenProposed,
    VerifierNeeded,
)
from ..wire.sasl.server import SASLServer
from .credentials import BearerToken, ScramProof, VerifiedCertificate
from .login import Authenticator, LoginRefused
from .tls_line import bindings_of, certificate_of


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

    _log = Logger()

    def __init__(
        self,
        authenticator: Authenticator,
        peer: Peer,
        transport: Any,  # Any: see tls_line.tls_handle.
    ) -> None:
        """
        Args:
            authenticator: tells what is offered, and checks.
            peer: as it is now.
            transport: what the client is at the end of; TLS vouches for some things.
        """
        self._authenticator = authenticator
        self._peer = peer
        self._transport = transport
        offered = authenticator.mechanisms(peer, transport)
        binds = any(MECHANISMS[name].binds for name in offered)
        self._server = SASLServer(
            offered,
            bindings=bindings_of(transport) if binds else {},
            nonce=authenticator.new_nonce(),
        )
        self._login: ILogin | None = None
        self._denial: LoginRefused | None = None

    async def start(self, mechanism: str, initial: bytes | None = None) -> Step:
        """Begin. None is no initial response, b"" an empty one."""
        return self._or_needs_tls(mechanism, await self._come_to(self._server.start(mechanism, initial)))

    async def start_line(self, mechanism: str, argument: bytes | None = None) -> Step:
        """Begin with the argument of the AUTH command, None where there was none."""
        return self._or_needs_tls(mechanism, await self._come_to(self._server.start_line(mechanism, argument)))

    async def step(self, response: bytes) -> Step:
        """Go on with the client's response."""
        return await self._come_to(self._server.step(response))

    async def step_line(self, line: bytes) -> Step:
        """Go on with a line of the client, its CRLF taken off; "*" gives up."""
        return await self._come_to(self._server.step_line(line))

    def _or_needs_tls(self, mechanism: str, step: Step) -> Step:
        if step != Refused(RefusalReason.UNKNOWN_MECHANISM) or self._peer.tls:
            return step
        with_tls = self._authenticator.mechanisms(replace(self._peer, tls=True), self._transport)
        return Refused(RefusalReason.NEEDS_TLS) if mechanism.upper() in with_tls else step

    async def _come_to(self, outcome: Outcome) -> Step:
        while not isinstance(outcome, Challenge | Refused | Accepted):
            outcome = await self._answered(outcome)
        if isinstance(outcome, Accepted):
            if self._login is None:
                raise MisuseError("accepted without a login")
            return LoggedIn(self._login)
        if isinstance(outcome, Refused):
            if outcome.reason is RefusalReason.DENIED and self._denial is not None:
                raise self._denial
            if outcome.reason is RefusalReason.BINDING:
                self._log.warn("wrong channel binding from {peer}", peer=self._peer.host, session=self._peer.session)
        return outcome

    async def _answered(self, asked: VerifierNeeded | Claim) -> Outcome:
        if isinstance(asked, VerifierNeeded | Proposed) and not self._is_own(asked):
            return Refused(RefusalReason.OTHER_IDENTITY)
        if isinstance(asked, VerifierNeeded):
            name = self._authenticator.account_name(asked.username)
            return self._server.go_on_with(await self._authenticator.verifier(name, asked.hash))
        try:
            self._login = await self._checked(asked)
        except LoginRefused as error:
            self._denial = error
            return self._server.refuse(*self._authenticator.token_hint())
        return self._server.accept()

    async def _checked(self, claim: Claim) -> ILogin:
        if isinstance(claim, Proposed):
            return await self._authenticator.login(self._peer, claim.username, claim.password)
        if isinstance(claim, TokenProposed) and not claim.token:
            # RFC 7628 §4.3: a client that wants to know where tokens are to be had. Nothing was tried.
            raise LoginRefused("a token is needed")
        name = self._authenticator.account_name(claim.username) if claim.username else ""
        flaw = claim.flaw if isinstance(claim, ScramProposed) else ""
        credentials = self._credentials(claim, name)
        return await self._authenticator.enter(self._peer, name, credentials, "authentication failed", flaw)

    def _credentials(self, claim: ScramProposed | TokenProposed | CertificateProposed, name: str) -> ICredentials:
        match claim:
            case ScramProposed():
                return ScramProof(
                    username=name,
                    hash=claim.hash,
                    auth_message=claim.auth_message,
                    proof=claim.proof,
                    flaw=claim.flaw,
                )
            case TokenProposed():
                return BearerToken(name, claim.token)
            case CertificateProposed():
                certificate = certificate_of(self._transport)
                if certificate is None:
                    raise LoginRefused("the certificate is no longer believed")
                return VerifiedCertificate(name, certificate)

    def _is_own(self, asked: VerifierNeeded | Proposed) -> bool:
        if not asked.identity:
            return True
        names = {self._authenticator.account_name(typed) for typed in (asked.identity, asked.username)}
        return len(names) == 1
