"""
The client's side of SMTP: what is asked becomes commands, what is answered becomes events. Sans-I/O.

It decides the order of commands and what may be pipelined. It does not decide whom to connect to, how long to wait
(`step` says for what) or whether TLS is wanted: `delivery` does. Neighbours: `client_events` is what it gives,
`client_transaction` is the message under way, `reply_reader` parses, `dialogue` remembers.

Sources: RFC 5321 §3, §4.1.1 (dialogue), RFC 2920 (pipelining), RFC 3030 (CHUNKING), RFC 3207 (STARTTLS), RFC 4954
(AUTH), RFC 2034 (enhanced status codes).
"""

from __future__ import annotations

from base64 import b64encode
from collections import deque
from collections.abc import Callable, Collection, Mapping

from ...mail.status import EnhancedStatus, Reply
from ..errors import MisuseError, ProtocolViolation
from ..wait import Wait
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
from .client_transaction import ClientTransaction, negative
from .dialogue import Dialogue
from .reply_reader import ReplyReader

_BAD_DIALOGUE = EnhancedStatus(4, 5, 0)
_CONNECTION_LOST = EnhancedStatus(4, 4, 2)
_NO_MECHANISM = EnhancedStatus(5, 5, 4)


class SMTPClient:
    """
    One session with one server. Begins by waiting for the greeting.

    After every call that may cause output, and after every event, `take_output` gives what is to be written.
    """

    def __init__(self, hostname: str, ignored: Collection[str] = ()) -> None:
        """
        `hostname` is what EHLO says: ASCII, a host name or an address literal. `ignored` are keywords of extensions
        that are passed over when they are offered.
        """
        self._hostname = hostname.encode("ascii")
        self._reader = ReplyReader()
        self._events: deque[Event] = deque()
        self._out: list[bytes] = []
        self._asked: deque[tuple[Step, int]] = deque([(Step.GREETING, 0)])
        self._transaction: ClientTransaction | None = None
        self._needs_reset = False
        self._ignored = frozenset(ignored)
        self._with_hello = True
        self._login_lines: list[bytes] = []
        self._dialogue = Dialogue()
        self.extensions: Mapping[str, str] = {}
        """What EHLO offered and is not ignored: keyword in upper case to its parameters as text."""
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

        What the server does not offer enough for is refused here, without asking: the whole message, or a recipient.
        Raises: MisuseError: the session is not idle, there is no recipient, or an address cannot be written.
        """
        self._must_be(Step.IDLE)
        if not message.recipients:
            raise MisuseError("a message without recipients")
        transaction = ClientTransaction(message, self.extensions)
        self._transaction = transaction
        self._dialogue.begin_transaction()
        if not transaction.unsent:
            self._end_transaction(transaction)
            return
        if self._needs_reset:
            transaction.unsent.appendleft((Step.RESET, 0, b"RSET"))
        self._needs_reset = True
        self._send_commands(transaction)

    def content(self, data: bytes, *, last: bool = False) -> bytes:
        """
        A piece of content in the form in which it is to be written; with `last`, the message's end as well.

        The pieces may be cut anywhere. Where the server takes chunks, each piece is one. After `last` comes
        TransactionEnded.
        """
        self._must_be(Step.CONTENT)
        transaction = self._under_way
        written = transaction.write(data, last=last)
        if last:
            self._note_content(transaction)
            self._await(Step.END)
        elif transaction.in_chunks and written:
            self._await(Step.CHUNK)
            if "PIPELINING" in self.extensions:  # RFC 2920 §3.1; RFC 3030 §2 has chunks in a pipeline
                self.step = Step.CONTENT
        return written

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
        self._await(step)

    def _say_hello(self) -> None:
        verb = b"EHLO " if self._with_hello else b"HELO "
        self._ask(Step.HELLO, verb + self._hostname)

    def _send_commands(self, transaction: ClientTransaction) -> None:
        """Send what may go: all of it with PIPELINING (RFC 2920 §3.1), else one command when none is unanswered."""
        while transaction.unsent and ("PIPELINING" in self.extensions or not self._asked):
            step, index, line = transaction.unsent.popleft()
            self._dialogue.note(line)
            self._out.append(line + b"\r\n")
            self._await(step, index)

    def _await(self, step: Step, index: int = 0) -> None:
        self._asked.append((step, index))
        self.step = self._asked[0][0]

    def _note_content(self, transaction: ClientTransaction) -> None:
        """What is remembered of content, in one line however many chunks it was."""
        how = b" by BDAT" if transaction.in_chunks else b""
        self._dialogue.note(b"[%d octets of content%s]" % (transaction.content_octets, how))

    # -- replies

    def _take(self, reply: Reply) -> None:
        self.replies += 1
        if reply.code == 421:  # RFC 5321 §3.8: at any time, the server is about to close
            self._dialogue.note(reply)
            self._break_off(reply)
            return
        if not self._asked:
            self._dialogue.note(reply)
            self._took_unasked(reply)
            return
        step, index = self._asked.popleft()
        if step is not Step.CHUNK:
            self._dialogue.note(reply)
        self.step = self._asked[0][0] if self._asked else Step.IDLE
        _ANSWERED[step](self, reply, index)
        if self._transaction is not None and self.step is not Step.OVER:
            self._go_on(self._transaction)

    def _took_unasked(self, reply: Reply) -> None:
        # A refusal before the end of the content is the server's last word; it reads the rest for nothing.
        if self.step is Step.CONTENT and reply.code >= 400:
            self._break_off(reply)
        else:
            self._break_off(OwnWords(451, (f"the server answered without being asked: {reply}",), _BAD_DIALOGUE))

    def _go_on(self, transaction: ClientTransaction) -> None:
        """Within a transaction, after a reply: send what waited for it, or see that all is said."""
        self._send_commands(transaction)
        if self._asked or self.step is Step.CONTENT:
            return
        # RFC 3030 §2: the first chunk goes out when all recipients are answered.
        if transaction.in_chunks and transaction.is_wanted and not transaction.was_begun:
            self._begin_content()
        else:
            self._end_transaction(transaction)

    def _begin_content(self) -> None:
        self.step = Step.CONTENT
        self._events.append(SendContent())

    def _greeted(self, reply: Reply, index: int) -> None:
        if reply.code // 100 == 2:
            self._say_hello()
        else:
            self._leave(reply, Step.GREETING)

    def _introduced(self, reply: Reply, index: int) -> None:
        if reply.code // 100 == 2:
            self.extensions = _extensions(reply, self._ignored) if self._with_hello else {}
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
        self._under_way.mail_answered(reply)

    def _recipient_answered(self, reply: Reply, index: int) -> None:
        self._under_way.recipient_answered(reply, index)

    def _data_answered(self, reply: Reply, index: int) -> None:
        transaction = self._under_way
        if reply.code // 100 != 3:
            transaction.decide(negative(reply))
        elif transaction.is_wanted:
            self._begin_content()
        else:  # RFC 2920 §3.1: a server that goes on without recipients gets an empty message
            self._dialogue.note(b".")
            self._out.append(transaction.write(b"", last=True))
            self._await(Step.END)

    def _chunk_answered(self, reply: Reply, index: int) -> None:
        transaction = self._under_way
        if not transaction.is_wanted:
            return
        if reply.code // 100 != 2:  # RFC 3030 §2: no more chunks after that
            if not transaction.content_sent:
                self._note_content(transaction)
            self._dialogue.note(reply)
            transaction.content_answered(reply)
        elif transaction.content_sent:
            return
        elif "PIPELINING" in self.extensions:
            self.step = Step.CONTENT
        else:
            self._begin_content()

    def _end_answered(self, reply: Reply, index: int) -> None:
        transaction = self._under_way
        # RFC 3030 §2: what state a chunk leaves that was not taken, nobody knows.
        self._needs_reset = transaction.in_chunks and (reply.code // 100 != 2 or not transaction.is_wanted)
        transaction.content_answered(reply)

    def _quit_answered(self, reply: Reply, index: int) -> None:
        self._end(reply, Step.QUIT)

    @property
    def _under_way(self) -> ClientTransaction:
        assert self._transaction is not None
        return self._transaction

    # -- ends

    def _end_transaction(self, transaction: ClientTransaction) -> None:
        self._transaction = None
        self._events.append(TransactionEnded(transaction.results, transaction.content_sent))
        if self.step is not Step.OVER:
            self.step = Step.IDLE

    def _break_off(self, reply: Reply) -> None:
        """The session is over, wherever it is."""
        if self._transaction is None:
            self._end(reply, self.step)
            return
        self._transaction.decide(negative(reply))
        self.step = Step.OVER
        self._forget()
        self._end_transaction(self._transaction)

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
    Step.CHUNK: SMTPClient._chunk_answered,
    Step.END: SMTPClient._end_answered,
    Step.QUIT: SMTPClient._quit_answered,
}


def _extensions(reply: Reply, ignored: Collection[str]) -> dict[str, str]:
    """The keywords of an EHLO answer; the first line is the server's name. Source: RFC 5321 §4.1.1.1."""
    found: dict[str, str] = {}
    for line in reply.lines[1:]:
        keyword, _, parameters = line.partition(" ")
        if keyword.upper() not in ignored:
            found[keyword.upper()] = parameters.strip()
    return found
