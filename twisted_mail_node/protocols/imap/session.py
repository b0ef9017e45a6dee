"""
One client's session: who it is, what it has selected, and the end of every command with the news it may be told.

What a command does is in its own file. Neighbours: the driver gives events and writes; `wire.imap.server` is the
engine; `selected` has the view.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable
from dataclasses import replace
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger
from twisted.python.failure import Failure

from ...interfaces.auth import ILogin
from ...interfaces.store import IAccount, IMailStore, IWatch
from ...mail.changes import ChangeKind, ChangeNotice
from ...mail.envelope import Peer
from ...mail.errors import MailError, NoSuchMailbox
from ...wire.errors import MisuseError, ProtocolViolation
from ...wire.imap import response_codes as codes
from ...wire.imap.commands import AppendChunk, Command
from ...wire.imap.compression import Deflater
from ...wire.imap.enabled import Extension, with_implied
from ...wire.imap.events import CommandRefused, ContinuationNeeded, Event, MoreInflated
from ...wire.imap.responses import Completion, Status, no, ok
from ...wire.imap.server import IMAPServer
from ..driver import Answer, Driver
from ..login import Authenticator, LoginRefused
from ..peer import peer_of
from ..sasl import Exchange
from .annotations import AnnotationNews
from .failures import completion_of
from .incoming import IncomingMessages
from .names import translated
from .places import Places
from .selected import Selected
from .settings import IMAPSettings

# How long Python work may keep the reactor from others.
SLICE_SECONDS = 0.002
# RFC 2180 §3.3: whose selected mailbox another client deletes is sent away, as nothing can leave it selected.
_DELETED = "the selected mailbox was deleted"
# Parts of an answer are gathered up to this size before they are written.
GATHERED_OCTETS = 32 * 1024

# Any: every command's own type goes to its own function; `dispatch` pairs them.
CommandAnswer = Callable[["IMAPSession", Any], Coroutine[Any, Any, bytes | None]]


class IMAPSession:
    """
    One session. Commands' files use its attributes: `engine`, `driver`, `settings`, `places`, `selected`.

    Args:
        engine: parses and renders for this connection.
        commands: the function that answers each type of command.
        greeting: gives what the client is told first.
        tls_context: what `startTLS` takes; None for no STARTTLS.
        name: of the session, in the log and in what is stored; unique in this process.
    """

    _log = Logger()

    def __init__(
        self,
        engine: IMAPServer,
        settings: IMAPSettings,
        authenticator: Authenticator,
        store: IMailStore,
        clock: IReactorTime,
        commands: dict[type[Command], CommandAnswer],
        greeting: Callable[[IMAPSession], bytes],
        tls_context: object | None = None,
        name: str = "",
    ) -> None:
        self.engine = engine
        self.settings = settings
        self.authenticator = authenticator
        self.store = store
        self.clock = clock
        self.tls_context = tls_context
        self.driver = Driver(engine, self, clock)
        self.exchange: Exchange | None = None
        self.deflater: Deflater | None = None
        self._selected: Selected | None = None
        self._owner_watch: IWatch | None = None
        self.annotations = AnnotationNews()
        self.incoming = IncomingMessages(engine, store, clock, settings.max_message_octets)
        self._commands = commands
        self._greeting = greeting
        self._name = name
        self._login: ILogin | None = None
        self._failed_logins = 0
        self._account: IAccount | None = None
        self._places: Places | None = None
        self._watch: IWatch | None = None
        self._pushing: Deferred[None] | None = None
        self._slice_end = 0.0
        self._parts: list[bytes] = []  # of the answer under way, until they are worth writing
        self._part_octets = 0

    def begin(self) -> None:
        """The connection is there: greet."""
        self.driver.set_timeout(self.settings.login_seconds)
        self.driver.write(self._greeting(self))

    # -- called by the driver -------------------------------------------------------------------------------------

    def answer(self, event: Event) -> Answer:
        """See protocols.driver.Session."""
        if isinstance(event, AppendChunk):
            return self.incoming.chunk(event)
        if isinstance(event, ContinuationNeeded):
            return event.response
        if isinstance(event, CommandRefused):
            return self._refused(event)
        if isinstance(event, MoreInflated):
            return None
        return self._command(event)

    def timed_out(self) -> bytes:
        """See protocols.driver.Session."""
        return self.engine.speech.bye("idle for too long")

    def broke(self, failure: Failure) -> bytes:
        """See protocols.driver.Session."""
        self.incoming.abort()
        try:
            return self._gathered() + self.engine.send(no("internal error, try again later", codes.UNAVAILABLE))
        except MisuseError:
            self.driver.close(self.engine.speech.bye("internal error", codes.UNAVAILABLE))
            return b""

    def disconnected(self) -> None:
        """See protocols.driver.Session."""
        self.incoming.abort()
        pushing, self._pushing = self._pushing, None
        if pushing is not None:
            pushing.cancel()
        self._forget_account()
        self._parts.clear()

    def end(self) -> None:
        """The server stops: the command under way is answered, then the client is told and left."""
        self.driver.finish(self.engine.speech.bye("server is shutting down", codes.UNAVAILABLE))

    def _refused(self, event: CommandRefused) -> bytes:
        """A command that was none; it has ended whatever was under way."""
        self.incoming.abort()
        self.exchange = None
        return event.response if self.engine.closed else self._close_after_many(event.response)

    def _close_after_many(self, answer: bytes) -> bytes:
        """The answer to a mistake or a login that failed, unless it was one too many: then it is the last."""
        if self.engine.mistakes + self._failed_logins < self.settings.mistake_limit:
            return answer
        self.driver.close(answer + self.engine.speech.bye("too many mistakes"))
        return b""

    async def _command(self, command: Command) -> bytes | None:
        if self._pushing is not None:
            await self._pushed()
        self._slice_end = self.clock.seconds() + SLICE_SECONDS
        try:
            return await self._commands[type(command)](self, command)
        except (MailError, ProtocolViolation) as error:
            if isinstance(error, NoSuchMailbox) and self.selected is not None:
                self.selected.dirty = True  # it may be this one that is gone
            if isinstance(error, LoginRefused):
                return await self.refuse_login(completion_of(error))
            return await self.finish(completion_of(error), may_expunge=False)

    # -- used by commands -----------------------------------------------------------------------------------------

    @property
    def peer(self) -> Peer:
        """Who is at the other end, as of now: STARTTLS changes it."""
        return peer_of(self.driver.transport, self._name)

    @property
    def user(self) -> str | None:
        """The name of the account that was logged in to, or None."""
        return None if self._account is None else self._account.name

    @property
    def account(self) -> IAccount:
        """The account that was logged in to. What is in it is reached by `places` alone."""
        if self._account is None:
            raise MisuseError("nobody has logged in")
        return self._account

    @property
    def places(self) -> Places:
        """The way to every mailbox that the user can name."""
        if self._places is None:
            raise MisuseError("nobody has logged in")
        return self._places

    @property
    def selected(self) -> Selected | None:
        """The mailbox that is selected. The owner's account is watched while it is another user's."""
        return self._selected

    @selected.setter
    def selected(self, selected: Selected | None) -> None:
        if self._owner_watch is not None:
            self._owner_watch.cancel()
            self._owner_watch = None
        self._selected = selected
        if selected is not None and selected.is_shared:
            self._owner_watch = self.store.watch(selected.mailbox.account, self._owner_noticed)

    @property
    def mailbox(self) -> Selected:
        """The selected mailbox."""
        if self.selected is None:
            raise MisuseError("no mailbox is selected")
        return self.selected

    async def enable_condstore(self, wanted: bool = True) -> None:
        """
        The command under way enables CONDSTORE, if `wanted`: where it is the first, and a mailbox is selected, its
        HIGHESTMODSEQ is told (RFC 7162 §3.1).
        """
        if wanted:
            await self.write(self.enable((Extension.CONDSTORE,)))

    def enable(self, extensions: Iterable[Extension]) -> bytes:
        """Enable these, and what comes along with them. Returns what is to be told of the selected mailbox by that."""
        new = with_implied(extensions) - self.engine.enabled
        self.engine.enabled |= new
        if Extension.CONDSTORE not in new or self.selected is None:
            return b""
        return self.selected.view.highest_modseq()

    def name(self, name: str) -> str:
        """A mailbox name of the client as the store's, or the other way round."""
        return translated(name, self.settings.delimiter)

    def spelled(self, name: str) -> bytes:
        """A mailbox name of the store as the client is to read it."""
        return self.engine.spelling.mailbox(self.name(name))

    async def finish(
        self, completion: Completion, untagged: bytes = b"", *, may_expunge: bool = True, ask: bool = False
    ) -> bytes:
        """
        End the command: `untagged`, then the news, then the completion.

        Args: may_expunge: false for FETCH, STORE and SEARCH by number (RFC 3501 §7.4.1). ask: see Selected.news.
        """
        selected = self.selected
        if selected is not None or self.annotations.dirty or ask:
            self._parts.append(untagged)
            untagged = b""
            try:
                if selected is not None:
                    await self.tell(await selected.news(may_expunge, ask or selected.view.has_shown_ahead))
                await self.tell(await self.annotations.news(self, ask))
            except CancelledError:
                raise
            except MailError as error:
                # The command was done; the news will be told later.
                self._log.warn("no news of the account: {reason}", reason=error.text, session=self._name)
            if selected is not None:
                completion = self._with_highest_modseq(selected, completion)
            if selected is not None and selected.gone:
                self.driver.close(self._gathered() + self.engine.send(completion) + self.engine.speech.bye(_DELETED))
                return b""
        return self._gathered() + self.engine.send(completion, untagged)

    def _with_highest_modseq(self, selected: Selected, completion: Completion) -> Completion:
        """The end of a command with the code HIGHESTMODSEQ, where it is due; where there is no room, it goes before."""
        code = selected.view.command_ended()
        if not code:
            return completion
        if completion.code or completion.status is not Status.OK:
            self._parts.append(self.engine.speech.untagged(ok("told so far", code)))
            return completion
        return replace(completion, code=code)

    def end_quietly(self, completion: Completion) -> bytes:
        """End the command without news."""
        return self._gathered() + self.engine.send(completion)

    async def refuse_login(self, completion: Completion) -> bytes:
        """End a command by which nobody has logged in. After many the connection is closed, so that none tries on."""
        self._failed_logins += 1
        return self._close_after_many(await self.finish(completion))

    async def tell(self, news: Iterable[bytes]) -> None:
        """Write news, with others having their turn in between; what is left in the end is gathered."""
        for piece in news:
            await self.write(piece)
            await self.breathe()

    async def write(self, octets: bytes) -> None:
        """Write a part of the pending command's answer, or news while idle; on return the transport wants more."""
        self._parts.append(octets)
        self._part_octets += len(octets)
        if self._part_octets >= GATHERED_OCTETS:
            self.driver.write(self._gathered())
            await self.driver.drained()

    def _gathered(self) -> bytes:
        octets = b"".join(self._parts)
        self._parts.clear()
        self._part_octets = 0
        return octets

    async def cut_off(self) -> None:
        """Nothing more can be said: abort the connection. Does not return."""
        self.driver.abort()
        await Deferred()

    async def breathe(self) -> None:
        """Let others have their turn, where this command has used up its slice of time."""
        if self.clock.seconds() >= self._slice_end:
            await deferLater(self.clock, 0)
            self._slice_end = self.clock.seconds() + SLICE_SECONDS

    async def log_in(self, login: ILogin) -> None:
        """The client has proved who it is. Fails with: NoSuchAccount, TemporaryFailure."""
        self._account = await login.account()
        self._places = Places(self._account, self.store, self.settings.other_users)
        self._login = login
        self._failed_logins = 0
        self._watch = self.store.watch(login.name, self._noticed)
        self.driver.set_timeout(self.settings.inactivity_seconds)
        self._log.info("{account} logged in by IMAP", account=login.name, session=self._name, peer=self.peer.host)

    def log_out(self) -> None:
        """Nobody is logged in any more: what was known of the account and of its mailboxes is forgotten."""
        self._forget_account()
        self.driver.set_timeout(self.settings.login_seconds)

    def _forget_account(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None
        self.selected = None
        self.annotations.forget()
        self._account = None
        self._places = None
        self._login = None

    # -- news -----------------------------------------------------------------------------------------------------

    def _noticed(self, notice: ChangeNotice) -> None:
        """The account has changed."""
        if ChangeKind.METADATA in notice.kinds and self.annotations.watched:
            self.annotations.dirty = True
            self._push_soon()
        if ChangeKind.REMOVED in notice.kinds:
            self.driver.finish(self.engine.speech.bye("the account is no more", codes.UNAVAILABLE))
        elif self.selected is not None and self.selected.is_told_by(notice):
            self.selected.dirty = True
            self._push_soon()
        elif ChangeKind.MAILBOXES in notice.kinds and self.selected is not None:
            self.selected.dirty = True  # it may have been the selected one that was deleted
            self._push_soon()

    def _owner_noticed(self, notice: ChangeNotice) -> None:
        """The account has changed whose mailbox is selected here."""
        about_all = ChangeKind.MAILBOXES | ChangeKind.RIGHTS | ChangeKind.REMOVED
        if self._selected is not None and (self._selected.is_told_by(notice) or notice.kinds & about_all):
            self._selected.dirty = True
            self._push_soon()

    def push_news(self) -> None:
        """The client begins to idle: tell it what has happened, noticed or not, and then what will."""
        if self.selected is not None:
            self.selected.dirty = True
        if self._has_news:
            self._push_soon()

    @property
    def _has_news(self) -> bool:
        return self.annotations.dirty or (self.selected is not None and self.selected.dirty)

    def _push_soon(self) -> None:
        if self._pushing is None and self.engine.is_idling:
            self._pushing = pushing = Deferred.fromCoroutine(self._push())
            pushing.addErrback(self._push_failed)
            pushing.addCallback(self._push_ended)

    async def _push(self) -> None:
        """Tell an idling client the news, as long as there are any and it takes them."""
        while self._has_news and self.engine.is_idling:
            await self.driver.drained()
            self._slice_end = self.clock.seconds() + SLICE_SECONDS
            if self.selected is not None:
                # A DONE that comes meanwhile waits for this, so EXPUNGE is still allowed.
                await self.tell(await self.selected.news(may_expunge=True))
            await self.tell(await self.annotations.news(self))
            self.driver.write(self._gathered())
            if self.selected is not None and self.selected.gone:
                self.driver.close(self.engine.speech.bye(_DELETED))
                return  # what was noticed since can be told to nobody

    def _push_failed(self, failure: Failure) -> None:
        if failure.check(CancelledError, ConnectionDone) is None:
            self._log.failure("news could not be told", failure, session=self._name)

    def _push_ended(self, _: None) -> None:
        self._pushing = None

    def _pushed(self) -> Deferred[None]:
        """Fires when what is being told to the idling client has been told."""
        done: Deferred[None] = Deferred()
        if self._pushing is None:
            done.callback(None)
        else:
            self._pushing.addCallback(lambda _: done.callback(None))
        return done
