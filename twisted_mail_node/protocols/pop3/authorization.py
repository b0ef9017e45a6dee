"""
The authorization state: capabilities, TLS, login. Source: RFC 1939 §4, §7; RFC 2595 §4; RFC 5034 §4.

Ends with an open maildrop, which `transaction` goes on with.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.logger import Logger

from ...interfaces.auth import ILogin
from ...mail.mailbox_name import INBOX
from ...wire.pop3 import replies
from ...wire.pop3.commands import (
    AskCapabilities,
    AskMechanisms,
    Auth,
    AuthLine,
    LogIn,
    NameUser,
    Quit,
    StartTLS,
    Violated,
)
from ...wire.pop3.replies import ResponseCode
from ...wire.sasl.outcomes import Challenge, RefusalReason, Refused
from ..driver import Answer
from ..sasl import Exchange, Step
from .capabilities import capabilities
from .lease import MaildropLease
from .maildrop import Maildrop
from .session_parts import Parts


class Authorization:
    """Answers commands until somebody is logged in."""

    _log = Logger()

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._engine = parts.engine
        self._answers: dict[type, Callable[[Any], Answer]] = {  # Any: each takes the command it stands beside.
            AskCapabilities: self._capabilities,
            StartTLS: self._start_tls,
            NameUser: self._name_user,
            LogIn: self._log_in,
            AskMechanisms: self._mechanisms,
            Auth: self._auth,
            AuthLine: self._auth_line,
            Violated: self._violated,
            Quit: self._quit,
        }
        self._exchange: Exchange | None = None

    def answer(self, command: Any) -> Answer:  # Any: see the table.
        """Answer a command of this state."""
        return self._answers[type(command)](command)

    def _capabilities(self, _: AskCapabilities) -> bytes:
        listed = capabilities(
            mechanisms=self._parts.authenticator.mechanisms(self._parts.peer),
            user_allowed=self._plaintext_allowed,
            tls_available=self._tls_available,
        )
        return self._engine.send(replies.lines("capabilities", listed))

    def _start_tls(self, _: StartTLS) -> bytes | None:
        if not self._tls_available:
            return self._engine.send(
                replies.error("under TLS already" if self._parts.peer.tls else "TLS is not available")
            )
        driver = self._parts.driver
        driver.write(self._engine.send(replies.ok("begin TLS")))
        driver.start_tls(self._parts.tls_context)
        self._parts.look_at_peer()
        return None

    def _name_user(self, _: NameUser) -> bytes:
        if not self._plaintext_allowed:
            return self._engine.send(replies.error("not without TLS"))
        return self._engine.send(replies.ok("now the password"))

    def _mechanisms(self, _: AskMechanisms) -> bytes:
        return self._engine.send(replies.lines("mechanisms", self._parts.authenticator.mechanisms(self._parts.peer)))

    async def _auth(self, command: Auth) -> bytes:
        self._parts.look_at_peer()
        self._exchange = exchange = Exchange(self._parts.authenticator, self._parts.peer)
        return await self._exchanged(await exchange.start_line(command.mechanism, command.initial))

    async def _auth_line(self, command: AuthLine) -> bytes:
        assert self._exchange is not None, "the engine reads such lines within an exchange only"
        return await self._exchanged(await self._exchange.step_line(command.line))

    async def _exchanged(self, step: Step) -> bytes:
        match step:
            case Challenge():
                return self._engine.challenge(step.wire)
            case Refused():
                code = ResponseCode.AUTH if step.reason is RefusalReason.OTHER_IDENTITY else None
                return self._engine.send(replies.error(step.reason.value, code))
            case _:
                return await self._begin(step.login)

    def _violated(self, command: Violated) -> bytes:
        return self._engine.send(command.reply)

    def _quit(self, _: Quit) -> bytes:
        return self._engine.send(replies.ok("bye"))

    async def _log_in(self, command: LogIn) -> bytes:
        parts = self._parts
        parts.look_at_peer()
        return await self._begin(await parts.authenticator.login(parts.peer, command.username, command.password))

    async def _begin(self, login: ILogin) -> bytes:
        parts = self._parts
        lease = MaildropLease(parts.locks, login.name, parts.session_id, parts.clock, parts.lose_lease)
        try:
            await lease.acquire()
            maildrop = await self._open(login)
        except BaseException:
            # Also when the peer has gone meanwhile: nobody else would give the lease back.
            lease.release()
            raise
        self._log.info(
            "{account} logged in from {peer}: {messages} messages",
            account=login.name,
            peer=parts.peer.host,
            tls=parts.peer.tls,
            messages=len(maildrop),
            session=parts.session_id,
        )
        parts.begin_transaction(maildrop, lease)
        return self._engine.send(replies.ok(f"{maildrop.messages} messages ({maildrop.octets} octets)"))

    async def _open(self, login: ILogin) -> Maildrop:
        account = await login.account()
        mailbox = await account.mailbox(INBOX)
        return Maildrop(mailbox, await self._parts.snapshots.take(mailbox))

    @property
    def _plaintext_allowed(self) -> bool:
        return self._parts.authenticator.plaintext_allowed(self._parts.peer)

    @property
    def _tls_available(self) -> bool:
        return self._parts.tls_context is not None and not self._parts.peer.tls
