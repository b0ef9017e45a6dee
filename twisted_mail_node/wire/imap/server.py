"""
The server's engine: octets of a client become commands, answers become octets. No I/O, one command at a time.

It decides where a command ends, whether it is well-formed and allowed in the present state, and which literals
are read. What a command does is decided by the session, which answers each event by one method:

    a Command                 `send` ends it; before that, `part` may write pieces of the answer
    Idle                      `start_idling`, or `send` to refuse; Done then wants `send`
    Authenticate(Response)    `challenge` for another round, or `send`
    StartTLS                  `start_tls`, or `send` to refuse
    Compress                  `start_compressing`, or `send` to refuse
    AppendMessage             `accept_message`, or `send` to refuse the command; Append at the end wants `send`
    AppendChunk, ContinuationNeeded, CommandRefused, MoreInflated    want no answer

Neighbours: `grammar` (syntax), `states` (what is allowed when), `responses` (what is written).
Sources: RFC 3501 §2.2, §3, §5.5, §7.5; RFC 2177; RFC 7888.
"""

from __future__ import annotations

from binascii import b2a_base64
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from ..errors import LineTooLong, MisuseError, ProtocolViolation
from ..wait import Wait
from . import response_codes
from .appending import Appending, following
from .commands.append import AppendMessage, parse_announcement
from .commands.authenticate import Authenticate, AuthenticateResponse, parse_response
from .commands.command import Command
from .commands.compress import Compress
from .commands.idle import Done, Idle
from .commands.starttls import StartTLS
from .enabled import Extension
from .events import CommandRefused, ContinuationNeeded, Event, MoreInflated
from .grammar import finish, parse_head
from .input import Input
from .limits import Limits
from .literals import Discarding, EndlessLine, Literal, TooMuch, announced, take_line
from .refusal import BadSyntax, Impossible
from .responses import Completion, Status, bad, continuation, no, ok
from .speech import Speech
from .spelling import Spelling, spelling_of
from .states import RULES, State, refusal_text
from .tokens import Tokens, tag_of

C = TypeVar("C", bound=Command)

_DEFAULT_LIMITS = Limits()
_BEGIN_TLS = ok("begin TLS negotiation now")
_BEGIN_COMPRESSING = ok("begin compressing now")
_TOO_LONG = bad("command too long", response_codes.TOO_BIG)


class IMAPServer:
    """
    One client's session as a machine. See the module for which event wants which answer.

    Attributes: `state`; `closed`, true when the dialogue is over; `mistakes`, how often the client broke the
    grammar or the order, so that the driver can lose its patience; `pending`, the command that waits for its
    answer, or None; `is_idling`, true from `start_idling` until the client ends it; `enabled`, what the client has
    said that it can take, for as long as it is logged in; `speech`, how people are spoken to.
    """

    def __init__(self, state: State = State.NOT_AUTHENTICATED, limits: Limits = _DEFAULT_LIMITS) -> None:
        self.state = state
        self.closed = False
        self.mistakes = 0
        self.pending: Command | None = None
        self.enabled: set[Extension] = set()
        self.speech = Speech()
        self._limits = limits
        self._input = Input(limits.command_octets)
        # What reads the input at present: gives an event, or a Wait, or None where another has taken over.
        self._read: Callable[[], Event | Wait | None] = self._read_line
        # The command under way: its tag once known, and the name by which the states know it.
        self._tag: bytes | None = None
        self._name = b""
        # Lines and literals of a command that is not complete yet.
        self._command = bytearray()
        self._remaining = 0  # octets still to come of a literal
        self._appending = Appending(self._input, limits)
        self._discarding = Discarding(self._input, limits)
        self.is_idling = False

    @property
    def spelling(self) -> Spelling:
        """How names and strings are spelled now."""
        return spelling_of(self.enabled)

    # -- input --------------------------------------------------------------------------------------------------

    def receive_data(self, data: bytes) -> None:
        """Take what was received."""
        self._input.receive(data)

    def next_event(self) -> Event | Wait:
        """The next event; NEED_DATA when none is complete; PAUSED while one waits for its answer, or at the end."""
        if self.pending is not None or self.closed:
            return Wait.PAUSED
        while True:
            try:
                event = self._read()
            except LineTooLong:
                return self._refuse(_TOO_LONG)
            except EndlessLine:
                return self._dismiss(self._refuse(_TOO_LONG).response)
            except TooMuch:
                return self._dismiss()
            if event is Wait.NEED_DATA and self._input.is_compressed:
                return self._inflate()
            if event is not None:
                return event

    def _inflate(self) -> Event | Wait:
        try:
            return MoreInflated() if self._input.inflate_more() else Wait.NEED_DATA
        except ValueError:
            self.closed = True
            return CommandRefused(self.speech.bye("what came was not compressed as agreed", response_codes.CLIENT_BUG))

    # -- answers ------------------------------------------------------------------------------------------------

    def send(self, completion: Completion, untagged: bytes = b"") -> bytes:
        """
        End the pending command; the state becomes what the standard says after such an answer.

        `untagged` are rendered responses to go before the tagged one. After a refused AppendMessage whose octets
        come without being asked for, they are read and thrown away. Raises: MisuseError: nothing is pending.
        """
        command = self._take_pending(Command)
        said = self.speech.tagged(command.tag, completion)
        rule = RULES[self._name]
        if completion.status is Status.OK:
            self.state = rule.after_ok or self.state
        elif completion.status is Status.NO:
            self.state = rule.after_no or self.state
        self.closed = self.state is State.LOGOUT
        if rule.after_ok is self.state is State.NOT_AUTHENTICATED:
            self.speech.translation = None  # RFC 8437 §3
        if self.state in (State.LOGOUT, State.NOT_AUTHENTICATED):
            self.enabled.clear()
            self._input.stop_inflating()  # RFC 8437 §4.1
        self._end_command()
        if isinstance(command, AppendMessage) and not command.synchronizing:
            self._start_discarding(command.size)
        return untagged + said

    def part(self, data: bytes) -> bytes:
        """Some of the answer to the pending command, whose end is still to come. Raises MisuseError."""
        if self.pending is None:
            raise MisuseError("no command is being answered")
        return data

    def push(self, updates: bytes) -> bytes:
        """
        Untagged responses that answer nothing, between commands or while the client idles.

        An EXPUNGE may be among them only while it idles (RFC 3501 §7.4.1). Raises: MisuseError: a command is
        pending (they go with its answer), or the dialogue is over.
        """
        if self.pending is not None or self.closed:
            raise MisuseError("updates go with the answer to the pending command")
        return updates

    def start_idling(self) -> bytes:
        """Answer Idle: the client waits for what `push` writes. Raises MisuseError."""
        idle = self._take_pending(Idle)
        self.is_idling = True
        self._read = partial(self._read_done, idle.tag)
        return self.speech.continuation("idling")

    def challenge(self, data: bytes) -> bytes:
        """Answer Authenticate or AuthenticateResponse by a challenge, raw as SASL made it. Raises MisuseError."""
        command: Command = self._take_pending(Authenticate, AuthenticateResponse)
        self._read = partial(self._read_response, command.tag)
        return continuation(b2a_base64(data, newline=False))

    def start_tls(self, completion: Completion = _BEGIN_TLS) -> bytes:
        """
        Answer StartTLS by OK. What was received behind it is dropped (RFC 3501 §6.2.1, RFC 3207 §4.2).

        Raises: MisuseError: something else is pending.
        """
        command = self._take_pending(StartTLS)
        self._input.clear()
        self._end_command()
        said = self.speech.tagged(command.tag, completion)
        self.speech.translation = None  # RFC 5255 §3.1, §7: who chose it is not known to be this client
        return said

    def start_compressing(self, completion: Completion = _BEGIN_COMPRESSING) -> bytes:
        """
        Answer Compress by OK: what the client sends from here on is inflated. What is written is the session's affair.

        Raises: MisuseError: something else is pending.
        """
        command = self._take_pending(Compress)
        self._input.start_inflating()
        self._end_command()
        return self.speech.tagged(command.tag, completion)

    @property
    def is_compressed(self) -> bool:
        """Whether the client compresses what it sends."""
        return self._input.is_compressed

    def accept_message(self) -> bytes:
        """Answer AppendMessage: its octets follow as AppendChunks. Raises MisuseError."""
        message = self._take_pending(AppendMessage)
        self._appending.accept(message)
        self._read = partial(self._read_message, message)
        return self.speech.continuation() if message.synchronizing else b""

    def abandon_message(self, completion: Completion) -> bytes:
        """
        Refuse an APPEND between its AppendMessage and its Append; what is still to come is thrown away.

        Raises: MisuseError: no message is being read.
        """
        message = self._appending.message
        if message is None or self.pending is not None:
            raise MisuseError("no message is being read")
        remaining = self._appending.remaining
        self._end_command()
        self._start_discarding(remaining)
        return self.speech.tagged(message.tag, completion)

    def deselect(self) -> None:
        """The selected mailbox is gone: no mailbox is selected any more."""
        if self.state is State.SELECTED:
            self.state = State.AUTHENTICATED

    def _take_pending(self, *kinds: type[C]) -> C:
        command = self.pending
        if not isinstance(command, kinds):
            raise MisuseError(
                f"{type(command).__name__} is pending, not {' or '.join(kind.__name__ for kind in kinds)}"
            )
        self.pending = None
        return command

    # -- commands and their literals ------------------------------------------------------------------------------

    def _read_line(self) -> Event | Wait | None:
        line = self._take_line()
        if line is None:
            return Wait.NEED_DATA
        literal = announced(line)
        if literal is None:
            line = line.rstrip(b" ")  # some clients end a command by a space
        begun = bool(self._command)
        if not begun and literal is None:
            return self._complete(line)
        if len(self._command) + len(line) > self._limits.command_octets:
            return self._refuse(_TOO_LONG, literal)
        self._command += line
        if literal is None:
            return self._complete(bytes(self._command))
        self._command += b"\r\n"
        return self._announcement(literal, is_first=not begun)

    def _complete(self, data: bytes) -> Event:
        self._command.clear()
        self._tag = tag_of(data)
        try:
            tag, self._name, parser, tokens = parse_head(data, self.enabled)
            self._check_state()
            self.pending = command = finish(tag, parser, tokens)
        except ProtocolViolation as violation:
            return self._refuse(_completion(violation))
        return command

    def _announcement(self, literal: Literal, is_first: bool) -> Event | None:
        """A literal is announced: a message to hand on, an argument to collect, or too much."""
        try:
            if is_first:
                # Whoever may not give the command is told before any more of it is read.
                data = bytes(self._command)
                self._tag = tag_of(data)
                self._name = parse_head(data, self.enabled)[1]
                self._check_state()
            message = self._message(literal) if self._name == b"APPEND" else None
        except ProtocolViolation as violation:
            return self._refuse(_completion(violation), literal)
        too_big = len(self._command) + literal.size > self._limits.command_octets
        if (message is None and too_big) or self._discarding.refuses(literal):
            return self._refuse(_TOO_LONG, literal)
        if message is not None:
            self._command.clear()
            self.pending = message
            return message
        self._remaining = literal.size
        self._read = self._read_literal
        return ContinuationNeeded(self.speech.continuation()) if literal.synchronizing else None

    def _message(self, literal: Literal) -> AppendMessage | None:
        tag, _, _, tokens = parse_head(bytes(self._command), self.enabled)
        return parse_announcement(tag, tokens, literal)

    def _read_literal(self) -> Event | Wait | None:
        data = self._input.take_up_to(self._remaining)
        self._command += data
        self._remaining -= len(data)
        if self._remaining:
            return Wait.NEED_DATA
        self._read = self._read_line
        return None

    def _check_state(self) -> None:
        if self.state not in RULES[self._name].allowed:
            raise BadSyntax(refusal_text(self._name, self.state))

    # -- the messages of APPEND -----------------------------------------------------------------------------------

    def _read_message(self, message: AppendMessage) -> Event | Wait | None:
        event = self._appending.read()
        if not self._appending.remaining:
            self._read = partial(self._read_behind_message, message)
        return event

    def _read_behind_message(self, message: AppendMessage) -> Event | Wait | None:
        line = self._take_line()
        if line is None:
            return Wait.NEED_DATA
        literal = announced(line)
        try:
            # With the line end that a literal has before it, as the grammar knows it.
            tokens = Tokens(line + b"\r\n" if literal else line, 0, self.enabled)
            event = following(message, tokens, literal)
        except ProtocolViolation as violation:
            return self._refuse(_completion(violation), literal)
        if literal is not None and self._discarding.refuses(literal):
            return self._refuse(_TOO_LONG, literal)
        self._appending.end()
        self.pending = event
        return event

    # -- lines within a command -----------------------------------------------------------------------------------

    def _read_done(self, tag: bytes) -> Event | Wait | None:
        line = self._take_line()
        if line is None:
            return Wait.NEED_DATA
        if line.rstrip(b" ").upper() != b"DONE":
            return self._refuse(bad("DONE was expected"), announced(line))
        self.is_idling = False
        self.pending = command = Done(tag)
        return command

    def _read_response(self, tag: bytes) -> Event | Wait | None:
        line = self._take_line()
        if line is None:
            return Wait.NEED_DATA
        try:
            self.pending = command = parse_response(tag, line)
        except BadSyntax as violation:
            return self._refuse(_completion(violation))
        return command

    def _take_line(self) -> bytes | None:
        return take_line(self._input, self._limits)

    # -- refusing, throwing away ----------------------------------------------------------------------------------

    def _refuse(self, completion: Completion, literal: Literal | None = None) -> CommandRefused:
        """Refuse the command under way; a literal that comes whether wanted or not is thrown away."""
        if completion.status is Status.BAD:
            self.mistakes += 1
        speech, tag = self.speech, self._tag
        response = speech.untagged(completion) if tag is None else speech.tagged(tag, completion)
        self._end_command()
        if literal is not None and not literal.synchronizing:
            if self._discarding.refuses(literal):
                return self._dismiss(response)
            self._start_discarding(literal.size)
        return CommandRefused(response)

    def _dismiss(self, response: bytes = b"") -> CommandRefused:
        """Too much is coming to wait for its end: the last words."""
        self.closed = True
        return CommandRefused(response + self.speech.bye("too much data", response_codes.TOO_BIG))

    def _end_command(self) -> None:
        self._read = self._read_line
        self._tag = None
        self._name = b""
        self._command.clear()
        self._appending.end()
        self._remaining = 0
        self.is_idling = False

    def _start_discarding(self, size: int) -> None:
        self._discarding.start(size)
        self._read = self._read_discarded

    def _read_discarded(self) -> Wait | None:
        waiting = self._discarding.read()
        if waiting is None:
            self._read = self._read_line
        return waiting


def _completion(violation: ProtocolViolation) -> Completion:
    if isinstance(violation, Impossible):
        return no(violation.text, violation.code)
    return bad(violation.text, violation.code if isinstance(violation, BadSyntax) else b"")
