"""
One POP3 session: which state answers, and what is said when an answer fails.

Neighbours: `authorization` and `transaction` answer; the driver asks.
"""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from ...interfaces.store import IMaildropLock
from ...mail.errors import MailError, TemporaryFailure
from ...wire.pop3 import replies
from ...wire.pop3.phrases import Phrase
from ...wire.pop3.replies import ResponseCode
from ...wire.pop3.server import POP3Server
from ..driver import Answer, Driver
from ..login import Authenticator, LoginRefused
from ..peer import peer_of
from .apop import new_timestamp
from .authorization import Authorization
from .languages import ENGLISH, Language
from .lease import MaildropLease
from .login_delay import LoginDelay
from .maildrop import Maildrop
from .refusal import refusal
from .session_parts import Parts
from .settings import POP3Settings
from .snapshot import Snapshots
from .transaction import Transaction


class POP3Session:
    """
    A session and its driver. It does nothing before `begin`, when there is a transport.

    `session_id` has to be unique among all nodes that share the locks.
    """

    _log = Logger()

    def __init__(
        self,
        session_id: str,
        settings: POP3Settings,
        authenticator: Authenticator,
        locks: IMaildropLock,
        login_delay: LoginDelay,
        snapshots: Snapshots,
        clock: IReactorTime,
        tls_context: object | None,
    ) -> None:
        self._session_id = session_id
        self._settings = settings
        self._authenticator = authenticator
        self._locks = locks
        self._login_delay = login_delay
        self._snapshots = snapshots
        self._clock = clock
        self._tls_context = tls_context
        self._engine = POP3Server()
        self.driver = Driver(self._engine, self, clock)
        self._parts: Parts | None = None
        self._authorization: Authorization | None = None
        self._transaction: Transaction | None = None

    def begin(self) -> None:
        """The driver has its transport: greet."""
        parts = Parts(
            engine=self._engine,
            driver=self.driver,
            clock=self._clock,
            tls_context=self._tls_context,
            authenticator=self._authenticator,
            locks=self._locks,
            login_delay=self._login_delay,
            snapshots=self._snapshots,
            session_id=self._session_id,
            settings=self._settings,
            peer=peer_of(self.driver.transport, self._session_id),
            begin_transaction=self._begin_transaction,
            lose_lease=self._lose_lease,
        )
        self._parts = parts
        self._authorization = Authorization(parts)
        self.driver.set_timeout(self._settings.timeout_seconds)
        parts.timestamp = new_timestamp(parts)
        greeting = ENGLISH.ok(Phrase.GREETING, hostname=self._settings.hostname)
        self.driver.write(replies.greeting(greeting, parts.timestamp))

    def end(self) -> None:
        """The node stops: say so, and close. Nothing is removed."""
        self.driver.finish(self._language.error(Phrase.GOING_DOWN, ResponseCode.SYS_TEMP))

    # -- asked by the driver ----------------------------------------------------------------------------------------

    def answer(self, event: Any) -> Answer:  # Any: the engine's commands; the states know which.
        """See Session."""
        state = self._transaction or self._authorization
        assert state is not None
        answer = state.answer(event)
        if answer is None or isinstance(answer, bytes):
            return answer
        return self._guarded(answer)

    def timed_out(self) -> bytes:
        """See Session. Closed without a word (RFC 1939 §3)."""
        return b""

    def broke(self, failure: Failure) -> bytes:
        """See Session."""
        return self._refused(failure.value)

    def disconnected(self) -> None:
        """See Session."""
        if self._transaction is not None:
            self._transaction.close()

    # -- inside -----------------------------------------------------------------------------------------------------

    async def _guarded(self, answer: Coroutine[Any, Any, bytes | None]) -> bytes | None:  # Any: see driver.Answer.
        try:
            return await answer
        except MailError as error:
            if isinstance(error, TemporaryFailure) and not isinstance(error, LoginRefused):
                self._log.info("a command was put off: {reason}", reason=error.text, session=self._session_id)
            return self._refused(error)

    def _refused(self, error: BaseException | None) -> bytes:
        if self._parts is not None and self._parts.is_streaming:
            # Part of the answer is out; only a broken connection tells that the rest is missing.
            self.driver.abort()
            return b""
        return self._engine.send(refusal(error, self._language))

    @property
    def _language(self) -> Language:
        return ENGLISH if self._parts is None else self._parts.language

    def _begin_transaction(self, maildrop: Maildrop, lease: MaildropLease) -> None:
        assert self._parts is not None
        self._transaction = Transaction(self._parts, maildrop, lease)

    def _lose_lease(self) -> None:
        self.driver.finish(self._language.error(Phrase.LEASE_LOST, ResponseCode.SYS_TEMP))
