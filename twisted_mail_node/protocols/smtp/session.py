"""
One SMTP, submission or LMTP session: each event of the engine is answered by asking the doors.

Decides the order of questions (login, size, policy) and when a connection has made enough mistakes. Who may send
to whom is for `policy`; what becomes of a message is for `intake`. An answer that is there at once costs no Deferred.

Sources: RFC 5321, RFC 4954, RFC 3207, RFC 2033.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from ...interfaces.auth import ILogin
from ...interfaces.intake import IIntake
from ...interfaces.policy import ISMTPPolicy
from ...mail.envelope import Client, Peer, Recipient, Service
from ...mail.errors import MailError
from ...mail.status import Reply, reply
from ...mail.verdict import Accept, Defer, Verdict
from ...wire.sasl.outcomes import Challenge
from ...wire.smtp import replies
from ...wire.smtp.commands import (
    VERBS,
    Auth,
    AuthLine,
    Connected,
    Content,
    ContentEnd,
    Data,
    Hello,
    Help,
    Mail,
    Mistake,
    Noop,
    Quit,
    Rcpt,
    Rset,
    StartTLS,
    Verb,
    Vrfy,
)
from ...wire.smtp.extensions import Offer, hello_reply
from ...wire.smtp.server import SMTPServerEngine
from ..driver import Answer, Driver
from ..login import Authenticator
from ..peer import peer_of
from ..sasl import Exchange, LoggedIn
from .authentication import refused_or
from .settings import SMTPSettings
from .transaction import MailTransaction

T = TypeVar("T")

_KNOWN = sorted(verb.decode() for verb in VERBS if verb not in (b"EXPN", b"LHLO"))
_HELP = reply(214, "2.0.0", "known here: " + " ".join(_KNOWN), "see RFC 5321")
# So many recipients stand in the log by name.
_NAMED_RECIPIENTS = 10


class SMTPSession:
    """
    A session and its driver. It does nothing before `begin`, when there is a transport.

    Args:
        session_id: for logs.
        settings: of the listener.
        policy: asked at each stage.
        intake: takes the messages.
        authenticator: checks logins; None where there are none.
        clock: for timeouts.
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
        tls_context: object | None,
    ) -> None:
        self._settings = settings
        self._tls_context = tls_context
        self._policy = policy
        self._intake = intake
        self._authenticator = authenticator
        self._client = Client(Peer("", session=session_id), settings.service)
        self._login: ILogin | None = None
        self._exchange: Exchange | None = None
        self._transaction: MailTransaction | None = None
        self._errors = 0
        self._refused_recipients = 0
        self._is_lmtp = settings.service is Service.LMTP
        self.engine = SMTPServerEngine(
            Offer(), lmtp=self._is_lmtp, normalise_newlines=settings.bare_newlines == "normalise"
        )
        self.driver = Driver(self.engine, self, clock)

    def begin(self) -> None:
        """The driver has its transport: greet."""
        self._client = replace(self._client, peer=peer_of(self.driver.transport, self._client.peer.session))
        self.driver.set_timeout(self._settings.command_timeout_seconds)
        self.driver.resume()

    def end(self) -> None:
        """The node stops: say so, and close."""
        self.driver.finish(replies.render(replies.SHUTTING_DOWN))

    # -- called by the driver -----------------------------------------------------------------------------------

    # Any: `_ANSWERS` pairs each event with the method that takes it.
    def answer(self, event: Any) -> Answer | Deferred[bytes | None]:
        """Answer an event of the engine."""
        answer: Answer | Deferred[bytes | None] = _ANSWERS[type(event)](self, event)
        return answer

    def timed_out(self) -> bytes:
        """RFC 5321 §3.8, §4.5.3.2: 421, then the connection is closed."""
        self._log.info("{session} timed out", session=self._client.peer.session, peer=self._client.peer.host)
        return replies.render(replies.TIMED_OUT)

    def broke(self, failure: Failure) -> bytes:
        """A bug of ours is a temporary failure to the peer."""
        transaction = self._transaction
        if not self.engine.awaits_answer:
            # A piece of content has no answer, and what comes next is content still: the session can't go on.
            self.driver.close(replies.render(replies.CLOSING_AFTER_ERROR))
            return b""
        if transaction is None or not self.engine.is_receiving_content:
            return self.engine.send(replies.LOCAL_ERROR)
        self._forget_transaction()
        return self._send_at_end([replies.LOCAL_ERROR] * (len(transaction.recipients) if self._is_lmtp else 1))

    def disconnected(self) -> None:
        """What has come of a message is forgotten; a commit that has begun is not."""
        transaction = self._transaction
        if transaction is not None and self.engine.is_receiving_content:
            self._log.info(
                "message from <{sender}> to {to}: the connection ended before it was "
                + ("complete" if transaction.sink is not None else "answered"),
                **self._fields(transaction),
            )
        self._forget_transaction()

    # -- connection and hello -----------------------------------------------------------------------------------

    def _connected(self, event: Connected) -> Answer:
        return self._when(self._policy.connected(self._client), self._connected_judged)

    def _connected_judged(self, verdict: Verdict) -> bytes:
        if isinstance(verdict, Accept):
            name = "LMTP" if self._is_lmtp else "ESMTP"
            return self.engine.send(replies.greeting(self._settings.hostname, protocol=name))
        # RFC 5321 §3.1: a greeting is 220, 554 or 421.
        refusal = replace(verdict.as_reply(), code=421 if isinstance(verdict, Defer) else 554)
        self._refused("connection", refusal)
        return self.engine.send(refusal)

    def _hello(self, event: Hello) -> Answer:
        peer = peer_of(self.driver.transport, self._client.peer.session)
        client = replace(
            self._client,
            peer=peer if peer.tls else self._client.peer,
            hello=event.name,
            esmtp=event.verb is not Verb.HELO,
        )
        return self._when(self._policy.hello(client), partial(self._hello_judged, event, client))

    def _hello_judged(self, event: Hello, client: Client, verdict: Verdict) -> bytes:
        if not isinstance(verdict, Accept):
            return self._refuse("hello", verdict.as_reply())
        self._client = client
        self._forget_transaction()
        self.engine.offer = self._offer()
        if event.verb is Verb.HELO:
            return self.engine.send(Reply(250, (self._settings.hostname,)))
        return self.engine.send(hello_reply(self._settings.hostname, self.engine.offer))

    def _offer(self) -> Offer:
        peer, authenticator = self._client.peer, self._authenticator
        offered: tuple[str, ...] = ()
        if authenticator is not None:
            offered = authenticator.mechanisms(peer)
        return Offer(
            max_size=self._settings.max_message_size,
            starttls=self._tls_context is not None and not peer.tls,
            tls=peer.tls,
            mechanisms=offered,
            auth_needs_tls=authenticator is not None and not offered,
        )

    # -- the transaction ----------------------------------------------------------------------------------------

    def _mail(self, event: Mail) -> Answer:
        if self._login is None:
            if self._settings.auth == "required":
                return self._refuse("sender", replies.AUTH_REQUIRED, sender=event.sender)
            return self._mail_allowed(event, True)
        return self._when(self._login.may_send_as(event.sender), partial(self._mail_allowed, event))

    def _mail_allowed(self, event: Mail, is_own: bool) -> Answer:
        if not is_own:
            return self._refuse("sender", replies.NOT_YOUR_ADDRESS, sender=event.sender)
        if event.size > self._settings.max_message_size:  # RFC 1870 §6.1
            return self._refuse("sender", replies.MESSAGE_TOO_BIG, sender=event.sender)
        asked = self._policy.sender(self._client, event.sender, event.parameters)
        return self._when(asked, partial(self._mail_judged, event))

    def _mail_judged(self, event: Mail, verdict: Verdict) -> bytes:
        if not isinstance(verdict, Accept):
            return self._refuse("sender", verdict.as_reply(), sender=event.sender)
        self._transaction = MailTransaction(event)
        return self.engine.send(replies.SENDER_OK)

    def _rcpt(self, event: Rcpt) -> Answer:
        transaction = self._under_way()
        if len(transaction.recipients) >= self._settings.max_recipients:  # RFC 5321 §4.5.3.1.10
            return self.engine.send(replies.TOO_MANY_RECIPIENTS)
        asked = self._policy.recipient(self._client, transaction.sender, event.recipient)
        return self._when(asked, partial(self._rcpt_judged, event))

    def _rcpt_judged(self, event: Rcpt, verdict: Verdict) -> bytes:
        transaction = self._under_way()
        if not isinstance(verdict, Accept):
            refusal = verdict.as_reply()
        elif not self._leads_somewhere(verdict.recipient):
            refusal = replies.NO_SUCH_RECIPIENT
        else:
            assert verdict.recipient is not None
            transaction.recipients.append(verdict.recipient)
            return self.engine.send(replies.RECIPIENT_OK)
        if refusal.is_permanent and not self._is_lmtp:
            self._refused_recipients += 1
            if self._refused_recipients > self._settings.max_refused_recipients:
                refusal = replies.TOO_MANY_ERRORS
        return self._refuse("recipient", refusal, sender=transaction.sender, recipient=event.recipient)

    @staticmethod
    def _leads_somewhere(recipient: Recipient | None) -> bool:
        return recipient is not None and bool(recipient.targets or recipient.forwards)

    def _data(self, event: Data) -> Answer:
        transaction = self._under_way()
        transaction.sink = self._intake.begin(transaction.envelope(self._client))
        self._set_timeout(self._settings.content_timeout_seconds)
        return self.engine.send(replies.START_INPUT)

    def _content(self, event: Content) -> Answer:
        sink = self._under_way().sink
        assert sink is not None
        written = sink.write(event.data)
        return None if written is None or written.called else self._await_room(written)

    async def _await_room(self, written: Deferred[None]) -> None:
        await written

    def _content_end(self, event: ContentEnd) -> Answer | Deferred[bytes | None]:
        transaction = self._under_way()
        sink = transaction.sink
        assert sink is not None
        self._set_timeout(self._settings.command_timeout_seconds)
        unfit = self._unfit(event)
        if unfit is not None:
            transaction.abort()
            return self._message_answered(event, [unfit] * (len(transaction.recipients) if self._is_lmtp else 1))
        # From here on it is the intake's: whoever leaves now can't take it back.
        transaction.sink = None
        finished = sink.finish()
        # Never fails. A coroutine would cost each message some microseconds.
        return finished.addCallback(lambda answers: self._message_answered(event, answers))

    def _unfit(self, event: ContentEnd) -> Reply | None:
        if event.bare_newlines and self._settings.bare_newlines == "refuse":
            return replies.BARE_NEWLINE
        return replies.NUL_IN_MESSAGE if event.nul else None

    def _message_answered(self, event: ContentEnd, answers: Sequence[Reply]) -> bytes:
        transaction, first = self._under_way(), answers[0]
        self._transaction = None
        if first.is_positive:
            self._errors = self._refused_recipients = 0
        told = {str(answer): answer for answer in answers} if len(answers) > 1 else (first,)
        # One field to be formatted: this is written for every message.
        fields = self._fields(transaction)
        self._log.info(
            "{event}",
            event=f"message from <{fields['sender'] or ''}> to {fields['to']}: {' | '.join(map(str, told))}",
            size=event.size,
            status=first.status,
            reply=first,
            **fields,
        )
        return self._send_at_end(answers)

    def _fields(self, transaction: MailTransaction) -> dict[str, object]:
        """What is logged of a transaction, whatever became of it."""
        peer, recipients = self._client.peer, transaction.recipients
        names = [str(recipient.address) for recipient in recipients[:_NAMED_RECIPIENTS]]
        more = len(recipients) - len(names)
        return {
            "session": peer.session,
            "peer": peer.host,
            "hello": self._client.hello,
            "service": self._settings.service.value,
            "account": self._client.account,
            "sender": transaction.sender,
            "recipients": len(recipients),
            "to": ", ".join(names) + (f" and {more} more" if more else ""),
        }

    def _send_at_end(self, answers: Sequence[Reply]) -> bytes:
        return self.engine.send_each(answers) if self._is_lmtp else self.engine.send(answers[0])

    def _rset(self, event: Rset) -> Answer:
        self._forget_transaction()
        return self.engine.send(replies.OK)

    def _under_way(self) -> MailTransaction:
        assert self._transaction is not None, "the engine lets RCPT, DATA and content come within a transaction only"
        return self._transaction

    def _forget_transaction(self) -> None:
        if self._transaction is not None:
            self._transaction.abort()
            self._transaction = None

    # -- TLS and authentication ---------------------------------------------------------------------------------

    def _starttls(self, event: StartTLS) -> Answer:
        """RFC 3207 §4.2: what was said before TLS is forgotten, a login with it."""
        self._login = None
        self._client = Client(replace(self._client.peer, tls=True), self._settings.service)
        self.driver.write(self.engine.send(replies.READY_FOR_TLS))
        self.engine.offer = self._offer()
        self.driver.start_tls(self._tls_context)
        return None

    async def _auth(self, event: Auth) -> bytes:
        assert self._authenticator is not None, "the engine knows AUTH where it is offered only"
        self._exchange = exchange = Exchange(self._authenticator, self._client.peer)
        return self._exchanged(await refused_or(exchange.start_line(event.mechanism, event.initial)))

    async def _auth_line(self, event: AuthLine) -> bytes:
        assert self._exchange is not None, "the engine reads such lines within an exchange only"
        return self._exchanged(await refused_or(self._exchange.step_line(event.line)))

    def _exchanged(self, said: Challenge | LoggedIn | Reply) -> bytes:
        if isinstance(said, Challenge):
            return self.engine.challenge(said.wire)
        self._exchange = None
        if isinstance(said, Reply):
            return self._mistaken(said) if said.is_permanent else self.engine.send(said)
        self._login = said.login
        self._client = replace(self._client, account=said.login.name)
        return self.engine.send(replies.AUTHENTICATED)

    # -- what costs nothing -------------------------------------------------------------------------------------

    def _noop(self, event: Noop) -> Answer:
        return self.engine.send(replies.OK)

    def _help(self, event: Help) -> Answer:
        return self.engine.send(_HELP)

    def _quit(self, event: Quit) -> Answer:
        self._forget_transaction()
        return self.engine.send(replies.BYE)

    def _vrfy(self, event: Vrfy) -> Answer:
        return self._when(self._policy.verify(self._client, event.text), self._vrfy_judged)

    def _vrfy_judged(self, verdict: Verdict) -> bytes:
        if not isinstance(verdict, Accept):
            return self.engine.send(verdict.as_reply())
        if verdict.recipient is None:
            return self.engine.send(replies.CANNOT_VERIFY)
        return self.engine.send(reply(250, "2.1.5", f"<{verdict.recipient.address}>"))

    def _mistake(self, event: Mistake) -> Answer:
        return self._mistaken(event.reply)

    # -- how answers come about ---------------------------------------------------------------------------------

    def _when(self, asked: Deferred[T], then: Callable[[T], Answer]) -> Answer:
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
            self._log.warn("a door failed: {reason}", session=self._client.peer.session, reason=error.text)
            return self.engine.send(replies.for_error(error))
        answer = then(value)
        return await answer if inspect.iscoroutine(answer) else _at_once(answer)

    def _refuse(self, stage: str, refusal: Reply, **details: object) -> bytes:
        self._refused(stage, refusal, **details)
        if refusal.is_permanent and stage != "recipient":
            return self._mistaken(refusal)
        return self.engine.send(refusal)

    def _refused(self, stage: str, refusal: Reply, **details: object) -> None:
        peer = self._client.peer
        self._log.info(
            "{stage} refused: {reply}",
            session=peer.session,
            peer=peer.host,
            hello=self._client.hello,
            stage=stage,
            status=refusal.status,
            reply=refusal,
            **details,
        )

    def _mistaken(self, answer: Reply) -> bytes:
        self._errors += 1
        if self._errors < self._settings.max_errors:
            return self.engine.send(answer)
        peer = self._client.peer
        self._log.info("{session}: too many errors", session=peer.session, peer=peer.host, reply=answer)
        return self.engine.send(replies.TOO_MANY_ERRORS)

    def _set_timeout(self, seconds: float) -> None:
        if self._settings.content_timeout_seconds != self._settings.command_timeout_seconds:
            self.driver.set_timeout(seconds)


def _at_once(answer: bytes | Coroutine[Any, Any, bytes | None] | None) -> bytes | None:
    assert answer is None or isinstance(answer, bytes)
    return answer


# Any: each method takes its own event.
_ANSWERS: dict[type, Callable[[SMTPSession, Any], Answer | Deferred[bytes | None]]] = {
    Connected: SMTPSession._connected,
    Hello: SMTPSession._hello,
    Mail: SMTPSession._mail,
    Rcpt: SMTPSession._rcpt,
    Data: SMTPSession._data,
    Content: SMTPSession._content,
    ContentEnd: SMTPSession._content_end,
    Rset: SMTPSession._rset,
    Noop: SMTPSession._noop,
    Help: SMTPSession._help,
    Vrfy: SMTPSession._vrfy,
    Quit: SMTPSession._quit,
    StartTLS: SMTPSession._starttls,
    Auth: SMTPSession._auth,
    AuthLine: SMTPSession._auth_line,
    Mistake: SMTPSession._mistake,
}
