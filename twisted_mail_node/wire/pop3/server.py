"""
The server's engine: octets become commands, in order, one at a time.

Decides what a line means, in which state it may come, and how much a peer may get wrong. What a command comes to
is for the session, which answers each with a reply from `replies`; whether that begins with `+` or `-` moves the
state on. Neighbours: `protocols.sasl` for what AUTH says, `protocols.pop3` for the session.

Sources: RFC 1939, RFC 2449 (CAPA, PIPELINING), RFC 2595 §4 (STLS), RFC 5034 (AUTH).
"""

from __future__ import annotations

from collections.abc import Callable

from ..buffer import LineBuffer
from ..errors import MisuseError, ProtocolViolation
from ..sasl.encoding import MAX_LINE_OCTETS
from ..sasl.text import MAX_NAME_OCTETS, MAX_PASSWORD_OCTETS, checked_text
from ..wait import Wait
from .commands import (
    AskCapabilities,
    AskMechanisms,
    AskStatus,
    Auth,
    AuthLine,
    Command,
    Delete,
    DoNothing,
    ListSizes,
    ListUniqueIds,
    LogIn,
    NameUser,
    Quit,
    Reset,
    Retrieve,
    RetrieveTop,
    StartTLS,
    Violated,
)
from .replies import challenge, error
from .states import COMMANDS_BY_STATE, State

# RFC 2449 §4: a command line is at most 255 octets, CRLF included. Before login it may be as long as a SASL line:
# clients send initial responses beyond what RFC 5034 §4 allows them.
MAX_COMMAND_OCTETS = 255
# What comes without an end of line is given up here; no standard sets it.
MAX_UNENDED_OCTETS = 64 * 1024
# So much may a peer get wrong before the connection ends; no standard sets it.
MAX_VIOLATIONS = 20
MAX_FAILED_LOGINS = 5
# Message numbers and line counts are digits; more than these no mailbox and no message has.
MAX_DIGITS = 10


class POP3Server:
    """One connection."""

    def __init__(self) -> None:
        self._state = State.AUTHORIZATION
        self._buffer = LineBuffer(MAX_LINE_OCTETS)
        self._unended_octets = 0
        self._pending: Command | None = None
        self._user: str | None = None
        self._violations = 0
        self._failed_logins = 0

    @property
    def state(self) -> State:
        """Where the session stands."""
        return self._state

    @property
    def closed(self) -> bool:
        """True when the last reply was sent."""
        return self._state is State.CLOSED

    def receive_data(self, data: bytes) -> None:
        """Take what was received."""
        self._buffer.feed(data)
        self._unended_octets += len(data)

    def next_event(self) -> Command | Wait:
        """The next command; NEED_DATA without a whole line; PAUSED while one waits for its reply, or at the end."""
        if self._pending is not None or self._state is State.CLOSED:
            return Wait.PAUSED
        try:
            line = self._buffer.take_line()
            if line is None:
                if self._unended_octets <= MAX_UNENDED_OCTETS:
                    return Wait.NEED_DATA
                self._buffer.clear()
                command: Command = Violated(error("line too long"), True)
            else:
                self._unended_octets = 0
                command = self._command(line)
        except ProtocolViolation as violation:
            self._unended_octets = 0
            command = self._violated(violation.text)
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
        self._state = State.EXCHANGE
        return challenge(base64)

    # -- reading ----------------------------------------------------------------------------------------------------

    def _command(self, line: bytes) -> Command:
        if self._state is State.EXCHANGE:
            self._state = State.AUTHORIZATION
            return AuthLine(line)
        word, _, argument = line.partition(b" ")
        verb = word if word in _PARSERS else word.upper()
        if verb not in COMMANDS_BY_STATE[self._state]:
            raise ProtocolViolation("not now" if verb in _PARSERS else "unknown command")
        return _PARSERS[verb](self, argument)

    def _violated(self, text: str) -> Violated:
        if self._state is State.EXCHANGE:
            self._state = State.AUTHORIZATION
        self._violations += 1
        final = self._violations >= MAX_VIOLATIONS
        return Violated(error(f"{text}; too many mistakes, closing" if final else text), final)

    def _capabilities(self, argument: bytes) -> Command:
        return _bare(argument, AskCapabilities())

    def _start_tls(self, argument: bytes) -> Command:
        return _bare(argument, StartTLS())

    def _name_user(self, argument: bytes) -> Command:
        name = checked_text(argument.strip(b" "), MAX_NAME_OCTETS)
        if name is None:
            raise ProtocolViolation("USER takes a name")
        return NameUser(name)

    def _password(self, argument: bytes) -> Command:
        # RFC 1939 §7: the password is the rest of the line, spaces and all.
        name, self._user = self._user, None
        if name is None:
            raise ProtocolViolation("USER first")
        password = checked_text(argument, MAX_PASSWORD_OCTETS)
        if password is None:
            raise ProtocolViolation("PASS takes a password")
        return LogIn(name, password)

    def _authenticate(self, argument: bytes) -> Command:
        self._user = None
        mechanism, space, initial = argument.strip(b" ").partition(b" ")
        if not mechanism:
            return AskMechanisms()
        return Auth(mechanism.decode("ascii", "replace"), initial if space else None)

    def _status(self, argument: bytes) -> Command:
        return _bare(argument, AskStatus())

    def _sizes(self, argument: bytes) -> Command:
        return ListSizes(_number(argument) if argument else None)

    def _unique_ids(self, argument: bytes) -> Command:
        return ListUniqueIds(_number(argument) if argument else None)

    def _retrieve(self, argument: bytes) -> Command:
        return Retrieve(_number(argument))

    def _retrieve_top(self, argument: bytes) -> Command:
        number, _, lines = argument.strip(b" ").partition(b" ")
        return RetrieveTop(_number(number), _number(lines))

    def _delete(self, argument: bytes) -> Command:
        return Delete(_number(argument))

    def _reset(self, argument: bytes) -> Command:
        return _bare(argument, Reset())

    def _do_nothing(self, argument: bytes) -> Command:
        return _bare(argument, DoNothing())

    def _quit(self, argument: bytes) -> Command:
        return _bare(argument, Quit(self._state is State.TRANSACTION))

    # -- moving on --------------------------------------------------------------------------------------------------

    def _after_start_tls(self, _: Command, positive: bool) -> None:
        if positive:
            # RFC 2595 §4, RFC 3207 §4.2 in spirit: what came in the clear behind it is not believed.
            self._buffer.clear()
            self._unended_octets = 0
            self._user = None

    def _after_user(self, command: Command, positive: bool) -> None:
        self._user = command.name if positive and isinstance(command, NameUser) else None

    def _after_login(self, _: Command, positive: bool) -> None:
        if positive:
            self._state = State.TRANSACTION
            self._buffer.limit_octets = MAX_COMMAND_OCTETS
            return
        self._failed_logins += 1
        if self._failed_logins >= MAX_FAILED_LOGINS:
            self._state = State.CLOSED

    def _after_violation(self, command: Command, _: bool) -> None:
        if isinstance(command, Violated) and command.final:
            self._state = State.CLOSED

    def _after_quit(self, _: Command, __: bool) -> None:
        self._state = State.CLOSED


_PARSERS: dict[bytes, Callable[[POP3Server, bytes], Command]] = {
    b"CAPA": POP3Server._capabilities,
    b"STLS": POP3Server._start_tls,
    b"USER": POP3Server._name_user,
    b"PASS": POP3Server._password,
    b"AUTH": POP3Server._authenticate,
    b"STAT": POP3Server._status,
    b"LIST": POP3Server._sizes,
    b"UIDL": POP3Server._unique_ids,
    b"RETR": POP3Server._retrieve,
    b"TOP": POP3Server._retrieve_top,
    b"DELE": POP3Server._delete,
    b"RSET": POP3Server._reset,
    b"NOOP": POP3Server._do_nothing,
    b"QUIT": POP3Server._quit,
}

_AFTER: dict[type, Callable[[POP3Server, Command, bool], None]] = {
    StartTLS: POP3Server._after_start_tls,
    NameUser: POP3Server._after_user,
    LogIn: POP3Server._after_login,
    Auth: POP3Server._after_login,
    AuthLine: POP3Server._after_login,
    Violated: POP3Server._after_violation,
    Quit: POP3Server._after_quit,
}


def _bare(argument: bytes, command: Command) -> Command:
    if argument.strip(b" "):
        raise ProtocolViolation("no argument expected")
    return command


def _number(argument: bytes) -> int:
    digits = argument.strip(b" ")
    if not digits.isdigit() or len(digits) > MAX_DIGITS:
        raise ProtocolViolation("a number expected")
    return int(digits)
