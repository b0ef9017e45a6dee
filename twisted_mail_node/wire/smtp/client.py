"""
The client's side of SMTP: what is asked becomes commands, what is answered becomes events. Sans-I/O.

It decides the order of commands, what may be pipelined, and each recipient's result. It does not decide whom to
connect to, how long to wait (`step` says for what) or whether TLS is wanted: `delivery` does. Neighbours:
`client_events` is what it gives, `reply_reader` parses, `dialogue` remembers.

Sources: RFC 5321 §3, §4.1.1 (dialogue), §4.5.2 (transparency), RFC 2920 (pipelining), RFC 1870 (SIZE), RFC 6152
(8BITMIME), RFC 3207 (STARTTLS), RFC 4954 (AUTH), RFC 2034 (enhanced status codes).
"""

from __future__ import annotations

from base64 import b64encode
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import replace

from ...mail.status import EnhancedStatus, Reply
from ..errors import MisuseError, ProtocolViolation
from ..wait import Wait
from .ascii_path import ascii_path
from .client_events import (
    Event,
    Introduced,
    LoggedIn,
    LoginRefused,
    Message,
    OwnWords,
    SendContent,
    SessionEnded,
    Step,
    TLSAccepted,
    TLSRefused,
    TransactionEnded,
)
from .dialogue import Dialogue
from .reply_reader import ReplyReader

_BAD_DIALOGUE = EnhancedStatus(4, 5, 0)
_CONNECTION_LOST = EnhancedStatus(4, 4, 2)
_TOO_MANY = EnhancedStatus(5, 5, 3)
_TOO_BIG = EnhancedStatus(5, 3, 4)
_NO_MECHANISM = EnhancedStatus(5, 5, 4)


class SMTPClient:
    """
    One session with one server. Begins by waiting for the greeting.

    After every call that may cause output, and after every event, `take_output` gives what is to be written.
    """

    def __init__(self, hostname: str) -> None:
        """`hostname` is what EHLO says: ASCII, a host name or an address literal."""
        self._hostname = hostname.encode("ascii")
        self._reader = ReplyReader()
        self._events: deque[Event] = deque()
        self._out: list[bytes] = []
        self._asked: deque[tuple[Step, int]] = deque([(Step.GREETING, 0)])
        self._unsent: deque[tuple[Step, int, bytes]] = deque()
        self._results: list[Reply | None] | None = None
        self._mail_accepted = False
        self._accepted = 0
        self._needs_reset = False
        self._content_tail = b""
        self._content_octets = 0
        self._content_sent = False
        self._with_hello = True
        self._login_lines: list[bytes] = []
        self._dialogue = Dialogue()
        self.extensions: Mapping[str, str] = {}
        """What EHLO offered: keyword in upper case to its parameters as text."""
        self.step = Step.GREETING
        self.replies = 0
        """How many replies were taken: it grows while the server makes progress."""

    # -- input and output

    def receive_data(self, data: bytes) -> None:
        """Add what the server sent."""
        self._reader.feed(data)

    def next_event(self) -> Event | Wait:
        """The next event; NEED_DATA where the server has to speak (or the driver to act); PAUSED when it is over."""
        while not self._events:
            if self.step is Step.OVER:
                return Wait.PAUSED
            try:
                reply = self._reader.take_reply()
            except ProtocolViolation as violation:
                self._break_off(OwnWords(451, (violation.text,), _BAD_DIALOGUE))
                continue
            if reply is None:
                return Wait.NEED_DATA
            self._take(reply)
        return self._events.popleft()

    def take_output(self) -> bytes:
        """What is to be written now, commands only."""
        if not self._out:
            return b""
        data = b"".join(self._out)
        self._out.clear()
        return data

    # -- what may be asked

    def start_tls(self) -> None:
        """Ask for TLS. Gives TLSAccepted or TLSRefused. Source: RFC 3207 §4."""
        self._must_be(Step.IDLE)
        self._ask(Step.TLS, b"STARTTLS")

    def tls_started(self) -> None:
        """The handshake is done: begin anew (RFC 3207 §4.2). Gives Introduced."""
        self._must_be(Step.TLS)
        self._reader.clear()
        self.extensions = {}
        self._dialogue.note(b"[TLS]")
        self._say_hello()

    def login(self, username: str, password: str) -> None:
        """Authenticate by PLAIN, else LOGIN. Gives LoggedIn or LoginRefused. Source: RFC 4954 §4."""
        self._must_be(Step.IDLE)
        offered = self.extensions.get("AUTH", "").upper().split()
        user, secret = username.encode(), password.encode()
        if "PLAIN" in offered:
            self._ask(
                Step.LOGIN, b"AUTH PLAIN " + b64encode(b"\0" + user + b"\0" + secret), noted=b"AUTH PLAIN [hidden]"
            )
        elif "LOGIN" in offered:
            self._login_lines = [b64encode(secret), b64encode(user)]
            self._ask(Step.LOGIN, b"AUTH LOGIN")
        else:
            refusal = OwnWords(504, ("the server offers neither AUTH PLAIN nor LOGIN",), _NO_MECHANISM)
            self._events.append(LoginRefused(refusal))

    def send_message(self, message: Message) -> None:
        """
        Begin a transaction. Gives SendContent if any recipient is accepted, and TransactionEnded in any case.

        A message above the server's SIZE is refused here, without asking (RFC 1870 §6.1). Raises: MisuseError:
            the session is not idle, there is no recipient, or an address cannot be written in ASCII.
        """
        self._must_be(Step.IDLE)
        if not message.recipients:
            raise MisuseError("a message without recipients")
        commands: list[tuple[Step, int, bytes]] = []
        if self._needs_reset:
            commands.append((Step.RESET, 0, b"RSET"))
        commands.append((Step.MAIL, 0, self._mail_command(message)))
        commands += [(Step.RECIPIENT, i, b"RCPT TO:" + ascii_path(r)) for i, r in enumerate(message.recipients)]
        commands.append((Step.DATA, 0, b"DATA"))
        self._results = [None] * len(message.recipients)
        self._mail_accepted = self._content_sent = False
        self._accepted = self._content_octets = 0
        self._content_tail = b"\r\n"  # the content begins at the beginning of a line
        self._dialogue.begin_transaction()
        limit = self.extensions.get("SIZE", "")
        if limit.isdecimal() and 0 < int(limit[:18]) < message.size:
            text = f"message of {message.size} octets; the server takes {limit[:18]}"
            self._decide(OwnWords(552, (text,), _TOO_BIG))
            self._end_transaction()
            return
        self._needs_reset = True
        self._unsent.extend(commands)
        self._send_commands()

    def content(self, data: bytes) -> bytes:
        """
        A piece of content in the form in which it is to be written: dots doubled at the beginning of lines.

        Source: RFC 5321 §4.5.2. The pieces may be cut anywhere.
        """
        self._must_be(Step.CONTENT)
        if not data:
            return b""
        self._content_octets += len(data)
        tail = self._content_tail
        stuffed = data.replace(b"\r\n.", b"\r\n..")
        # What the search cannot see: a line's beginning that lies in the cut between two pieces.
        if data[:1] == b"." and tail == b"\r\n":
            stuffed = b"." + stuffed
        elif tail[-1:] == b"\r" and data[:2] == b"\n.":
            stuffed = b"\n." + stuffed[1:]
        self._content_tail = data[-2:] if len(data) > 1 else (tail + data)[-2:]
        return stuffed

    def end_content(self) -> bytes:
        """The end of the content, to be written; a last line without its end gets one. Gives TransactionEnded."""
        self._must_be(Step.CONTENT)
        self._dialogue.note(b"[%d octets of content]" % self._content_octets)
        end = b".\r\n" if self._content_tail == b"\r\n" else b"\r\n.\r\n"
        self._await_end()
        return end

    def quit(self) -> None:
        """Say goodbye. Gives SessionEnded."""
        self._must_be(Step.IDLE)
        self._ask(Step.QUIT, b"QUIT")

    def connection_lost(self, why: str = "connection lost", status: EnhancedStatus = _CONNECTION_LOST) -> None:
        """
        The connection is gone, or given up by the driver (`why`: "no answer to MAIL within 300 s").

        Gives TransactionEnded or SessionEnded, nothing if the session is over already. What the server had said
        before counts, so feed and take all events first.
        """
        if self.step is not Step.OVER:
            self._break_off(OwnWords(421, (why,), status))

    @property
    def transcript(self) -> str:
        """The dialogue: the session's beginning and the last transaction. No content, no AUTH argument."""
        return str(self._dialogue)

    # -- commands

    def _must_be(self, step: Step) -> None:
        if self.step is not step or (step is Step.TLS and self._asked):
            raise MisuseError(f"asked for in step {self.step.name}, which is for {step.name}")

    def _ask(self, step: Step, line: bytes, *, noted: bytes = b"") -> None:
        self._dialogue.note(noted or line)
        self._out.append(line + b"\r\n")
        self._asked.append((step, 0))
        self.step = self._asked[0][0]

    def _say_hello(self) -> None:
        verb = b"EHLO " if self._with_hello else b"HELO "
        self._ask(Step.HELLO, verb + self._hostname)

    def _mail_command(self, message: Message) -> bytes:
        command = b"MAIL FROM:" + ascii_path(message.sender)
        if "SIZE" in self.extensions:
            command += b" SIZE=%d" % message.size
        if message.eight_bit and "8BITMIME" in self.extensions:
            command += b" BODY=8BITMIME"
        return command

    def _send_commands(self) -> None:
        """Send what may go: all of it with PIPELINING (RFC 2920 §3.1), else one command when none is unanswered."""
        while self._unsent and ("PIPELINING" in self.extensions or not self._asked):
            step, index, line = self._unsent.popleft()
            self._dialogue.note(line)
            self._out.append(line + b"\r\n")
            self._asked.append((step, index))
        if self._asked:
            self.step = self._asked[0][0]

    def _await_end(self) -> None:
        self._content_sent = True
        self._asked.append((Step.END, 0))
        self.step = Step.END

    # -- replies

    def _take(self, reply: Reply) -> None:
        self.replies += 1
        self._dialogue.note(reply)
        if reply.code == 421:  # RFC 5321 §3.8: at any time, the server is about to close
            self._break_off(reply)
            return
        if not self._asked:
            self._took_unasked(reply)
            return
        step, index = self._asked.popleft()
        self.step = self._asked[0][0] if self._asked else Step.IDLE
        _ANSWERED[step](self, reply, index)
        if self._results is not None and self.step is not Step.OVER:
            self._go_on()

    def _took_unasked(self, reply: Reply) -> None:
        # A refusal before the end of the content is the server's last word; it reads the rest for nothing.
        if self.step is Step.CONTENT and reply.code >= 400:
            self._break_off(reply)
        else:
            self._break_off(OwnWords(451, (f"the server answered without being asked: {reply}",), _BAD_DIALOGUE))

    def _go_on(self) -> None:
        """Within a transaction, after a reply: send what waited for it, or see that all is said."""
        self._send_commands()
        if not self._asked and self.step is not Step.CONTENT:
            self._end_transaction()

    def _greeted(self, reply: Reply, index: int) -> None:
        if reply.code // 100 == 2:
            self._say_hello()
        else:
            self._leave(reply, Step.GREETING)

    def _introduced(self, reply: Reply, index: int) -> None:
        if reply.code // 100 == 2:
            self.extensions = _extensions(reply) if self._with_hello else {}
            self._events.append(Introduced())
        elif reply.is_permanent and self._with_hello:  # RFC 5321 §3.2: a server that knows no EHLO
            self._with_hello = False
            self._say_hello()
        else:
            self._leave(reply, Step.HELLO)

    def _tls_answered(self, reply: Reply, index: int) -> None:
        if reply.code // 100 == 2:
            # RFC 3207 §4.2: what came behind the answer came in plain, whoever wrote it.
            self._reader.clear()
            self.step = Step.TLS
            self._events.append(TLSAccepted())
        else:
            self._events.append(TLSRefused(reply))

    def _login_answered(self, reply: Reply, index: int) -> None:
        if reply.code // 100 == 3 and self._login_lines:
            self._ask(Step.LOGIN, self._login_lines.pop(), noted=b"[hidden]")
        elif reply.code // 100 == 3:
            self._ask(Step.LOGIN, b"*")  # RFC 4954 §4: cancel what we have no answer to
        elif reply.code // 100 == 2:
            self._events.append(LoggedIn())
        else:
            self._events.append(LoginRefused(reply))

    def _reset_answered(self, reply: Reply, index: int) -> None:
        """Whatever it says: a server that did not reset refuses MAIL next."""

    def _mail_answered(self, reply: Reply, index: int) -> None:
        if reply.code // 100 == 2:
            self._mail_accepted = True
            return
        self._decide(self._negative(reply))
        self._unsent.clear()

    def _recipient_answered(self, reply: Reply, index: int) -> None:
        assert self._results is not None
        if self._results[index] is not None:
            return
        if reply.code // 100 == 2:
            self._accepted += 1
        elif reply.code == 552 and self._accepted and reply.status in (None, _TOO_MANY):
            # RFC 5321 §4.5.3.1.10: older servers mean by this that those before were enough for one transaction.
            self._results[index] = replace(reply, code=452, status=None)
        else:
            self._results[index] = self._negative(reply)
        if not self._accepted and len(self._unsent) == 1:  # only DATA is left, and nobody to send it for
            self._unsent.clear()

    def _data_answered(self, reply: Reply, index: int) -> None:
        if reply.code // 100 == 3:
            if self._mail_accepted and self._accepted:
                self.step = Step.CONTENT
                self._events.append(SendContent())
            else:  # RFC 2920 §3.1: a server that goes on without recipients gets an empty message
                self._dialogue.note(b".")
                self._out.append(b".\r\n")
                self._await_end()
        else:
            self._decide(self._negative(reply))

    def _end_answered(self, reply: Reply, index: int) -> None:
        self._needs_reset = False
        self._decide(reply if reply.code // 100 == 2 else self._negative(reply))

    def _quit_answered(self, reply: Reply, index: int) -> None:
        self._end(reply, Step.QUIT)

    def _negative(self, reply: Reply) -> Reply:
        """The reply as a refusal; a positive one in a place where it makes no sense is a temporary failure."""
        if reply.code >= 400:
            return reply
        return OwnWords(451, (f"the server answered out of place: {reply}",), _BAD_DIALOGUE)

    # -- ends

    def _decide(self, reply: Reply) -> None:
        """The reply is the result of every recipient that has none yet."""
        assert self._results is not None
        self._results = [result or reply for result in self._results]

    def _end_transaction(self) -> None:
        assert self._results is not None
        results = tuple(result for result in self._results if result is not None)
        self._results = None
        self._events.append(TransactionEnded(results, self._content_sent))
        if self.step is not Step.OVER:
            self.step = Step.IDLE

    def _break_off(self, reply: Reply) -> None:
        """The session is over, wherever it is."""
        if self._results is None:
            self._end(reply, self.step)
            return
        self._decide(self._negative(reply))
        self.step = Step.OVER
        self._forget()
        self._end_transaction()

    def _leave(self, reply: Reply, step: Step) -> None:
        """The server wants no session: it still waits for QUIT (RFC 5321 §3.1), whose answer tells nothing."""
        self._dialogue.note(b"QUIT")
        self._out.append(b"QUIT\r\n")
        self._end(reply, step)

    def _end(self, reply: Reply, step: Step) -> None:
        self.step = Step.OVER
        self._forget()
        self._events.append(SessionEnded(reply, step))

    def _forget(self) -> None:
        self._asked.clear()
        self._unsent.clear()
        self._reader.clear()


_ANSWERED: dict[Step, Callable[[SMTPClient, Reply, int], None]] = {
    Step.GREETING: SMTPClient._greeted,
    Step.HELLO: SMTPClient._introduced,
    Step.TLS: SMTPClient._tls_answered,
    Step.LOGIN: SMTPClient._login_answered,
    Step.RESET: SMTPClient._reset_answered,
    Step.MAIL: SMTPClient._mail_answered,
    Step.RECIPIENT: SMTPClient._recipient_answered,
    Step.DATA: SMTPClient._data_answered,
    Step.END: SMTPClient._end_answered,
    Step.QUIT: SMTPClient._quit_answered,
}


def _extensions(reply: Reply) -> dict[str, str]:
    """The keywords of an EHLO answer; the first line is the server's name. Source: RFC 5321 §4.1.1.1."""
    found: dict[str, str] = {}
    for line in reply.lines[1:]:
        keyword, _, parameters = line.partition(" ")
        found[keyword.upper()] = parameters.strip()
    return found
