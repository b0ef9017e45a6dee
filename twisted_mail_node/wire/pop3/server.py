"""
The server's engine: octets become commands, in order, one at a time.

Decides where a line ends, how much a peer may get wrong, and how a reply moves the dialogue on: by whether it begins
with `+` or `-`. What a command comes to is for the session, which answers each with a reply made of `replies`.
Neighbours: `grammar` for what a line means, `protocols.sasl` for what AUTH says, `protocols.pop3` for the session.

Sources: RFC 1939, RFC 2449 (CAPA, PIPELINING), RFC 2595 §4 (STLS), RFC 5034 (AUTH), RFC 6856 (UTF8, LANG).
"""

from __future__ import annotations

from collections.abc import Callable

from ..buffer import LineBuffer
from ..errors import LineTooLong, MisuseError
from ..sasl.encoding import MAX_LINE_OCTETS
from ..wait import Wait
from .arguments import Mistake
from .commands import Auth, AuthLine, Command, EnableUTF8, LogIn, NameUser, Quit, ShowDigest, StartTLS, Violated
from .grammar import parse
from .phrases import Phrase
from .replies import challenge
from .standing import Standing
from .states import State

# RFC 2449 §4: a command line is at most 255 octets, CRLF included. Before login it may be as long as a SASL line:
# clients send initial responses beyond what RFC 5034 §4 allows them.
MAX_COMMAND_OCTETS = 255
# What comes without an end of line is given up here; no standard sets it.
MAX_UNENDED_OCTETS = 64 * 1024
# So much may a peer get wrong before the connection ends; no standard sets it.
MAX_VIOLATIONS = 20
MAX_FAILED_LOGINS = 5


class POP3Server:
    """One connection."""

    def __init__(self) -> None:
        self._standing = Standing()
        self._buffer = LineBuffer(MAX_LINE_OCTETS)
        self._unended_octets = 0
        self._pending: Command | None = None
        self._violations = 0
        self._failed_logins = 0

    @property
    def state(self) -> State:
        """Where the session stands."""
        return self._standing.state

    @property
    def utf8(self) -> bool:
        """Whether the client has asked for UTF-8 mode."""
        return self._standing.utf8

    @property
    def closed(self) -> bool:
        """True when the last reply was sent."""
        return self._standing.state is State.CLOSED

    def receive_data(self, data: bytes) -> None:
        """Take what was received."""
        self._buffer.feed(data)
        self._unended_octets += len(data)

    def next_event(self) -> Command | Wait:
        """The next command; NEED_DATA without a whole line; PAUSED while one waits for its reply, or at the end."""
        standing = self._standing
        if self._pending is not None or standing.state is State.CLOSED:
            return Wait.PAUSED
        command: Command
        try:
            line = self._buffer.take_line()
            if line is None:
                if self._unended_octets <= MAX_UNENDED_OCTETS:
                    return Wait.NEED_DATA
                self._buffer.clear()
                command = Violated(Phrase.LINE_TOO_LONG, True)
            else:
                self._unended_octets = 0
                command = parse(line, standing)
        except LineTooLong:
            self._unended_octets = 0
            command = self._violated(Phrase.LINE_TOO_LONG)
        except Mistake as mistake:
            command = self._violated(mistake.phrase)
        self._pending = command
        return command

    def send(self, reply: bytes) -> bytes:
        """
        End the pending command with its reply, or with the last part of it.

        Returns: what is to be written.
        Raises: MisuseError: no command is pending.
        """
        command = self._pending
        if command is None:
            raise MisuseError("a reply without a command")
        self._pending = None
        move_on = _AFTER.get(type(command))
        if move_on is not None:
            move_on(self, command, reply[:1] == b"+")
        return reply

    def challenge(self, base64: bytes) -> bytes:
        """
        Go on with an AUTH exchange: the next line is the client's response. Source: RFC 5034 §4.

        Raises: MisuseError: no AUTH is pending.
        """
        if not isinstance(self._pending, Auth | AuthLine):
            raise MisuseError("a challenge without AUTH")
        self._pending = None
        self._standing.state = State.EXCHANGE
        return challenge(base64)

    def _violated(self, phrase: Phrase) -> Violated:
        standing = self._standing
        if standing.state is State.EXCHANGE:
            standing.state = State.AUTHORIZATION
        self._violations += 1
        final = self._violations >= MAX_VIOLATIONS
        return Violated(Phrase.TOO_MANY_MISTAKES if final else phrase, final)

    # -- moving on --------------------------------------------------------------------------------------------------

    def _after_start_tls(self, _: Command, positive: bool) -> None:
        if positive:
            # RFC 2595 §4, RFC 3207 §4.2 in spirit: what came in the clear behind it is not believed.
            self._buffer.clear()
            self._unended_octets = 0
            self._standing.user = None

    def _after_utf8(self, _: Command, positive: bool) -> None:
        self._standing.utf8 = self._standing.utf8 or positive

    def _after_user(self, command: Command, positive: bool) -> None:
        self._standing.user = command.name if positive and isinstance(command, NameUser) else None

    def _after_login(self, _: Command, positive: bool) -> None:
        if positive:
            self._standing.state = State.TRANSACTION
            self._buffer.limit_octets = MAX_COMMAND_OCTETS
            return
        self._failed_logins += 1
        if self._failed_logins >= MAX_FAILED_LOGINS:
            self._standing.state = State.CLOSED

    def _after_violation(self, command: Command, _: bool) -> None:
        if isinstance(command, Violated) and command.final:
            self._standing.state = State.CLOSED

    def _after_quit(self, _: Command, __: bool) -> None:
        self._standing.state = State.CLOSED


_AFTER: dict[type, Callable[[POP3Server, Command, bool], None]] = {
    StartTLS: POP3Server._after_start_tls,
    EnableUTF8: POP3Server._after_utf8,
    NameUser: POP3Server._after_user,
    LogIn: POP3Server._after_login,
    ShowDigest: POP3Server._after_login,
    Auth: POP3Server._after_login,
    AuthLine: POP3Server._after_login,
    Violated: POP3Server._after_violation,
    Quit: POP3Server._after_quit,
}
