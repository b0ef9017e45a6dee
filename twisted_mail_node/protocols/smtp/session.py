"""
One SMTP, submission or LMTP session: who the client is, the mail under way, and how answers come about.

What a command does is in its own file. Decides when a connection has made enough mistakes. Who may send to whom is for
`policy`; what becomes of a message is for `intake`. An answer that is there at once costs no Deferred.

Sources: RFC 5321, RFC 4954, RFC 3207, RFC 2033.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from ...interfaces.auth import ILogin
from ...interfaces.intake import IIntake
from ...interfaces.policy import ISMTPPolicy
from ...mail.envelope import Client, Peer, Service
from ...mail.errors import MailError
from ...mail.status import Reply
from ...wire.smtp import replies
from ...wire.smtp.commands import Chunk, ChunkEnd, Content, ContentEnd, Event
from ...wire.smtp.offer import Offer
from ...wire.smtp.server import SMTPServerEngine
from ..driver import Answer, Driver
from ..login import Authenticator
from ..peer import peer_of
from ..sasl import Exchange
from .offer import offer_for
from .patience import Patience
from .settings import SMTPSettings
from .transaction import MailTransaction
from .transaction_log import Outcome, log_end

T = TypeVar("T")

# Events that no command of its own has brought; a small chunk counts when it has come, and can be answered (`content`).
_NO_COMMANDS: frozenset[type[Event]] = frozenset((Chunk, ChunkEnd, Content, ContentEnd))

# Any: every event's own type goes to its own function; `dispatch` pairs them.
EventAnswer = Callable[["SMTPSession", Any], Answer | Deferred[bytes | None]]


class SMTPSession:
    """
    A session and its driver. It does nothing before `begin`, when there is a transport.

    Commands' files use its attributes, and its methods to answer.

    Args:
        session_id: for logs.
        settings: of the listener.
        policy: asked at each stage.
        intake: takes the messages.
        authenticator: checks logins; None where there are none.
        clock: for timeouts.
        events: the function that answers each type of event.
        tls_context: what `startTLS` takes; None does not offer STARTTLS.
    """

    _log = Logger()

    def __init__(
        self,
        session_id: str,
        settings: SMTPSettings,
        policy: ISMTPPolicy,
        intake: IIntake,
        authenticator: Authenticator | None,
        clock: IReactorTime,
        events: Mapping[type[Event], EventAnswer],
        tls_context: object | None,
    ) -> None:
        self.settings = settings
        self.tls_context = tls_context
        self.clock = clock
        self.policy = policy
        self.intake = intake
        self.authenticator = authenticator
        self.client = Client(Peer("", session=session_id), settings.service)
        self.login: ILogin | None = None
        self.exchange: Exchange | None = None
        self.transaction: MailTransaction | None = None
        self.patience = Patience(settings, is_exempt=False)
        # What ends the session, and a mail under way with it, if not the client.
        self.ending: tuple[Outcome, Reply] | None = None
        self.is_lmtp = settings.service is Service.LMTP
        self._events = events
        self._may_xclient = self._may_xforward = False
        self._holding: Deferred[None] | None = None
        self.engine = SMTPServerEngine(
            Offer(), lmtp=self.is_lmtp, normalise_newlines=settings.bare_newlines == "normalise"
        )
        self.driver = Driver(self.engine, self, clock)

    def begin(self) -> None:
        """The driver has its transport: greet."""
        peer = peer_of(self.driver.transport, self.client.peer.session)
        self.client = replace(self.client, peer=peer)
        self.patience = Patience(self.settings, is_exempt=self.settings.trusted(peer.host))
        self.driver.set_timeout(self.settings.hello_timeout_seconds, of_silence=False)
        # By the address of the connection: what is told of another must not make that one trusted.
        self._may_xclient = self.settings.trusted_for_xclient(peer.host)
        self._may_xforward = self.settings.trusted_for_xforward(peer.host)
        self.look_at_offer()
        self.driver.resume()

    def end(self) -> None:
        """The node stops: say so, and close. An answer that is held back is given first, and at once."""
        self.ending = self.ending or (Outcome.SHUT_DOWN, replies.SHUTTING_DOWN)
        if self._holding is not None:
            self._holding.callback(None)
        self.driver.finish(replies.render(replies.SHUTTING_DOWN))

    # -- called by the driver -----------------------------------------------------------------------------------

    # Any: see EventAnswer.
    def answer(self, event: Any) -> Answer | Deferred[bytes | None]:
        """Answer an event of the engine."""
        kind = type(event)
        if kind not in _NO_COMMANDS and not self.patience.command(kind):
            return self.dismiss(replies.TOO_MANY_COMMANDS)
        return self._events[kind](self, event)

    def timed_out(self) -> bytes:
        """RFC 5321 §3.8, §4.5.3.2: 421, then the connection is closed."""
        if self.transaction is None:
            self._log.info("{session} timed out", session=self.client.peer.session, peer=self.client.peer.host)
        self.ending = (Outcome.TIMED_OUT, replies.TIMED_OUT)
        return replies.render(replies.TIMED_OUT)

    def broke(self, failure: Failure) -> bytes:
        """A bug of ours is a temporary failure to the peer."""
        if not self.engine.awaits_answer:
            # A piece of content has no answer, and what comes next is content still: the session can't go on.
            self.ending = (Outcome.DEFERRED, replies.CLOSING_AFTER_ERROR)
            self.driver.close(replies.render(replies.CLOSING_AFTER_ERROR))
            return b""
        if self.transaction is None or not self.engine.is_receiving_content:
            return self.engine.send(replies.LOCAL_ERROR)
        answers = self.for_each_recipient(replies.LOCAL_ERROR)
        is_at_end = self.transaction.is_complete
        self.end_transaction(Outcome.DEFERRED, replies.LOCAL_ERROR)
        return self.send_at_end(answers) if is_at_end else self.engine.send(replies.LOCAL_ERROR)

    def disconnected(self) -> None:
        """What has come of a message is forgotten; a commit that has begun is not."""
        self.end_transaction(*(self.ending or (Outcome.LOST, None)))

    # -- what is to be had, and the mail under way ----------------------------------------------------------------

    def look_at_offer(self) -> None:
        """See what the client can have now: TLS began, or somebody said hello."""
        mechanisms: tuple[str, ...] = ()
        if self.authenticator is not None:
            mechanisms = self.authenticator.mechanisms(self.client.peer, self.driver.transport)
        self.engine.offer = replace(
            offer_for(self.settings, self.client.peer, self.clock, is_exempt=self.patience.is_exempt),
            starttls=self.tls_context is not None and not self.client.peer.tls,
            mechanisms=mechanisms,
            auth_needs_tls=self.authenticator is not None and not mechanisms,
            expand=self._may_expand(),
            xclient=self._may_xclient,
            xforward=self._may_xforward,
        )

    def begin_as(self, client: Client, login: ILogin | None) -> None:
        """Begin anew, with another client in the place of the one who is connected, and its login."""
        self.end_transaction()
        self.client = client
        self.login = login
        self.engine.authenticated = login is not None
        self.patience = Patience(self.settings, is_exempt=self.settings.trusted(client.peer.host))
        self.look_at_offer()

    def _may_expand(self) -> bool:
        audience = self.settings.expand
        return audience == "everyone" or (audience == "accounts" and self.client.account is not None)

    def under_way(self) -> MailTransaction:
        """The mail under way. To be called where the engine lets a command come within a transaction only."""
        assert self.transaction is not None, "the engine lets RCPT, DATA and content come within a transaction only"
        return self.transaction

    def end_transaction(self, outcome: Outcome = Outcome.RESET, reply: Reply | None = None) -> None:
        """Forget the mail under way, if there is any, and log how it ended."""
        transaction, self.transaction = self.transaction, None
        if transaction is not None:
            transaction.abort()
            log_end(self, transaction, outcome, reply)
            if outcome is Outcome.RESET:  # perhaps between two chunks
                self.expect_commands()
        self.forget_forwarded()

    def forget_forwarded(self) -> None:
        """What XFORWARD told was of one message."""
        if self.client.forwarded is not None:
            self.client = replace(self.client, forwarded=None)

    # -- how answers come about ---------------------------------------------------------------------------------

    def when(self, asked: Deferred[T], then: Callable[[T], Answer]) -> Answer:
        """Go on with what a door answers: at once if it is there, else by a coroutine."""
        if asked.called and not asked.paused and not isinstance(asked.result, Failure):
            value: Any = asked.result  # Any: a Deferred's result is typed as what it may ever become.
            return then(value)
        return self._later(asked, then)

    async def _later(self, asked: Deferred[T], then: Callable[[T], Answer]) -> bytes | None:
        try:
            value = await asked
        except CancelledError:
            raise
        except MailError as error:
            self._log.warn("a door failed: {reason}", session=self.client.peer.session, reason=error.text)
            return self.engine.send(replies.for_error(error))
        answer = then(value)
        return await answer if inspect.iscoroutine(answer) else _at_once(answer)

    def refuse(self, stage: str, refusal: Reply, **details: object) -> Answer:
        """Refuse what was asked for at a stage, and log it; for good, it counts as a mistake."""
        self.log_refusal(stage, refusal, **details)
        return self.mistaken(refusal) if refusal.is_permanent else self.engine.send(refusal)

    def log_override(self, client: Client) -> None:
        """Log that another client is put in the place of the one who is connected."""
        peer = self.client.peer
        self._log.info(
            "{session}: {peer} tells of {host} by XCLIENT",
            session=peer.session,
            peer=peer.host,
            host=client.peer.host,
            name=client.peer.name,
            hello=client.hello,
            account=client.account,
        )

    def log_refusal(self, stage: str, refusal: Reply, **details: object) -> None:
        """Log what was refused."""
        peer = self.client.peer
        self._log.info(
            "{stage} refused: {reply}",
            session=peer.session,
            peer=peer.host,
            hello=self.client.hello,
            service=self.client.service.value,
            account=self.client.account,
            stage=stage,
            status=refusal.status,
            reply=refusal,
            **details,
        )

    def mistaken(self, answer: Reply) -> Answer:
        """Answer a mistake: after a while when there were many, the last one by the end of the connection."""
        octets = self.mistaken_at_once(answer)
        delay = 0.0 if self.engine.closed else self.patience.delay_seconds()
        return self._held(octets, delay) if delay else octets

    def mistaken_at_once(self, answer: Reply) -> bytes:
        """The same where the client has waited already."""
        if self.patience.mistake():
            return self.engine.send(answer)
        return self.dismiss(replies.TOO_MANY_ERRORS, answer)

    def dismiss(self, farewell: Reply, answer: Reply | None = None) -> bytes:
        """The client has used up our patience: end the connection. `answer` is what it would have got otherwise."""
        peer = self.client.peer
        self._log.info(
            "{session} is sent away: {farewell}",
            session=peer.session,
            peer=peer.host,
            farewell=farewell,
            reply=answer,
        )
        self.ending = (Outcome.REFUSED, farewell)
        return self.engine.send(farewell)

    async def _held(self, octets: bytes, seconds: float) -> bytes:
        await self.pause(seconds)
        return octets

    async def pause(self, seconds: float) -> None:
        """
        Wait with an answer, unless the node stops meanwhile.

        Nothing else of this client is heard until then, and no more read than the driver's limit; others do not wait.
        """
        holding: Deferred[None] = Deferred()
        self._holding = holding
        bell = self.clock.callLater(seconds, holding.callback, None)
        try:
            await holding
        finally:
            self._holding = None
            if bell.active():
                bell.cancel()

    def for_each_recipient(self, answer: Reply) -> list[Reply]:
        """The answers to a message that gets one for all: as many as are due."""
        return [answer] * (len(self.under_way().recipients) if self.is_lmtp else 1)

    def send_at_end(self, answers: Sequence[Reply]) -> bytes:
        """Answer the end of a message. Source: RFC 2033 §4.2."""
        return self.engine.send_each(answers) if self.is_lmtp else self.engine.send(answers[0])

    def expect_commands(self) -> None:
        """The client has its time for a command; one that it sends octet by octet is not more than one."""
        self.driver.set_timeout(self.settings.command_timeout_seconds, of_silence=False)

    def expect_chunk(self) -> None:
        """The client has its time for the next chunk of content; as for any command, octet by octet is not enough."""
        self.driver.set_timeout(self.settings.content_timeout_seconds, of_silence=False)

    def expect_content(self) -> None:
        """The client has its time for a piece of content."""
        self.driver.set_timeout(self.settings.content_timeout_seconds)


def _at_once(answer: bytes | Coroutine[Any, Any, bytes | None] | None) -> bytes | None:
    assert answer is None or isinstance(answer, bytes)
    return answer
