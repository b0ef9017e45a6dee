"""
The authorization state: TLS, UTF-8 mode, login. Sources: RFC 1939 §4, §7; RFC 2595 §4; RFC 5034 §4; RFC 6856 §2.

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
    AskMechanisms,
    Auth,
    AuthLine,
    EnableUTF8,
    LogIn,
    NameUser,
    Quit,
    ShowDigest,
    StartTLS,
)
from ...wire.pop3.phrases import Phrase
from ...wire.pop3.replies import ResponseCode
from ...wire.sasl.outcomes import Challenge, RefusalReason, Refused
from ..driver import Answer
from ..sasl import Exchange, Step
from .anywhere import ANYWHERE
from .apop import Digest
from .languages import ENGLISH
from .lease import MaildropLease
from .maildrop import Maildrop
from .session_parts import Parts

_REASONS = {
    RefusalReason.UNKNOWN_MECHANISM: Phrase.UNKNOWN_MECHANISM,
    RefusalReason.NEEDS_TLS: Phrase.NOT_WITHOUT_TLS,
    RefusalReason.MALFORMED: Phrase.MALFORMED_RESPONSE,
    RefusalReason.CANCELLED: Phrase.CANCELLED,
    RefusalReason.OTHER_IDENTITY: Phrase.OTHER_IDENTITY,
    RefusalReason.BINDING: Phrase.AUTHENTICATION_FAILED,
    RefusalReason.DENIED: Phrase.AUTHENTICATION_FAILED,
}
# Those that are about the credentials (RFC 3206 §5).
_ABOUT_CREDENTIALS = frozenset((RefusalReason.OTHER_IDENTITY, RefusalReason.BINDING, RefusalReason.DENIED))


class Authorization:
    """Answers commands until somebody is logged in."""

    __slots__ = ("_exchange", "_parts")

    _log = Logger()

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._exchange: Exchange | None = None

    def answer(self, command: Any) -> Answer:  # Any: see the table.
        """Answer a command of this state."""
        anywhere = ANYWHERE.get(type(command))
        return anywhere(self._parts, command) if anywhere is not None else _ANSWERS[type(command)](self, command)

    def _start_tls(self, _: StartTLS) -> bytes | None:
        parts = self._parts
        if not parts.tls_available:
            return parts.error(Phrase.UNDER_TLS_ALREADY if parts.peer.tls else Phrase.NO_TLS)
        parts.driver.write(parts.ok(Phrase.BEGIN_TLS))
        parts.driver.start_tls(parts.tls_context)
        parts.look_at_peer()
        # RFC 6856 §7: somebody in between may have chosen it.
        parts.language = ENGLISH
        return None

    def _enable_utf8(self, _: EnableUTF8) -> bytes:
        return self._parts.ok(Phrase.UTF8_MODE)

    def _name_user(self, _: NameUser) -> bytes:
        if not self._parts.plaintext_allowed:
            return self._parts.error(Phrase.NOT_WITHOUT_TLS)
        if not self._parts.passwords_allowed:
            return self._parts.error(Phrase.UNKNOWN_MECHANISM)
        return self._parts.ok(Phrase.NOW_THE_PASSWORD)

    def _mechanisms(self, _: AskMechanisms) -> bytes:
        parts = self._parts
        return parts.engine.send(replies.lines(parts.language.ok(Phrase.MECHANISMS), parts.mechanisms))

    async def _auth(self, command: Auth) -> bytes:
        self._parts.look_at_peer()
        self._exchange = exchange = Exchange(self._parts.authenticator, self._parts.peer, self._parts.driver.transport)
        return await self._exchanged(await exchange.start_line(command.mechanism, command.initial))

    async def _auth_line(self, command: AuthLine) -> bytes:
        assert self._exchange is not None, "the engine reads such lines within an exchange only"
        return await self._exchanged(await self._exchange.step_line(command.line))

    async def _exchanged(self, step: Step) -> bytes:
        if isinstance(step, Challenge):
            return self._parts.engine.challenge(step.wire)
        self._exchange = None
        match step:
            case Refused():
                code = ResponseCode.AUTH if step.reason in _ABOUT_CREDENTIALS else None
                return self._parts.error(_REASONS[step.reason], code)
            case _:
                return await self._begin(step.login)

    def _quit(self, _: Quit) -> bytes:
        return self._parts.ok(Phrase.BYE)

    async def _log_in(self, command: LogIn) -> bytes:
        parts = self._parts
        parts.look_at_peer()
        return await self._begin(await parts.authenticator.login(parts.peer, command.username, command.password))

    def _show_digest(self, command: ShowDigest) -> Answer:
        timestamp = self._parts.timestamp
        if timestamp is None:
            return self._parts.error(Phrase.UNKNOWN_COMMAND)
        return self._log_in_by_digest(command, timestamp)

    async def _log_in_by_digest(self, command: ShowDigest, timestamp: bytes) -> bytes:
        parts = self._parts
        parts.look_at_peer()
        name = parts.authenticator.account_name(command.username)
        shown = Digest(name, timestamp, command.digest)
        return await self._begin(await parts.authenticator.enter(parts.peer, name, shown, "name or digest is wrong"))

    async def _begin(self, login: ILogin) -> bytes:
        """Open the maildrop of who has proven to be its owner."""
        parts = self._parts
        parts.login_delay.check(login.name)
        lease = MaildropLease(parts.locks, login.name, parts.session_id, parts.clock, parts.lose_lease)
        try:
            await lease.acquire()
            maildrop = await self._open(login)
        except BaseException:
            # Also when the peer has gone meanwhile: nobody else would give the lease back.
            lease.release()
            raise
        parts.login_delay.logged_in(login.name)
        self._log.info(
            "{account} logged in from {peer}: {messages} messages",
            account=login.name,
            peer=parts.peer.host,
            tls=parts.peer.tls,
            messages=len(maildrop),
            session=parts.session_id,
        )
        parts.begin_transaction(maildrop, lease)
        return parts.ok(Phrase.MAILDROP, messages=maildrop.messages, octets=maildrop.octets)

    async def _open(self, login: ILogin) -> Maildrop:
        account = await login.account()
        mailbox = await account.mailbox(INBOX)
        return Maildrop(mailbox, await self._parts.snapshots.take(mailbox))


# Any: each takes the command it stands beside.
_ANSWERS: dict[type, Callable[[Authorization, Any], Answer]] = {
    StartTLS: Authorization._start_tls,
    EnableUTF8: Authorization._enable_utf8,
    NameUser: Authorization._name_user,
    LogIn: Authorization._log_in,
    ShowDigest: Authorization._show_digest,
    AskMechanisms: Authorization._mechanisms,
    Auth: Authorization._auth,
    AuthLine: Authorization._auth_line,
    Quit: Authorization._quit,
}
